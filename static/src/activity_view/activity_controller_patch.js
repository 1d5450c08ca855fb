import { ActivityController } from "@mail/views/web/activity/activity_controller";
import { SendNowDialog } from "@user_email_alias/activity/send_now_dialog";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

patch(ActivityController.prototype, {
    setup() {
        super.setup();
        this.emailAliases = useService("email_alias");
    },

    sendMailTemplate(templateId, activityTypeId) {
        if (!this.emailAliases.usable.length) {
            return super.sendMailTemplate(...arguments);
        }
        const grouped = this.model.activityData.grouped_activities;
        const resIds = Object.keys(grouped).filter((id) => grouped[id][activityTypeId]);
        this.dialog.add(SendNowDialog, {
            model: this.props.resModel,
            resIds: resIds.map(Number),
            templateId,
        });
    },
});
