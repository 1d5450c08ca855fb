import { ActivityMailTemplate } from "@mail/core/web/activity_mail_template";
import { SendNowDialog } from "@user_email_alias/activity/send_now_dialog";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

patch(ActivityMailTemplate.prototype, {
    setup() {
        super.setup();
        this.emailAliases = useService("email_alias");
        this.dialog = useService("dialog");
    },

    async onClickSend(ev, mailTemplate) {
        if (!this.emailAliases.usable.length) {
            return super.onClickSend(...arguments);
        }
        ev.stopPropagation();
        ev.preventDefault();
        this.props.onClickButtons();
        const { res_id: resId, res_model: model } = this.props.activity;
        const thread = this.store.Thread.insert({ model, id: resId });
        const onSent = this.props.onActivityChanged;
        this.dialog.add(SendNowDialog, {
            model,
            resIds: [resId],
            templateId: mailTemplate.id,
            proposal: thread.emailAliasProposal,
            onSent: () => onSent?.(thread),
        });
    },
});
