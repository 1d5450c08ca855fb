import { CalendarQuickCreateFormController } from "@calendar/views/calendar_form/calendar_quick_create";
import { patch } from "@web/core/utils/patch";

patch(CalendarQuickCreateFormController.prototype, {
    /** @override the full form starts with the alias picked here */
    goToFullEvent() {
        const { email_alias_id: picked, has_email_alias: hasAlias } = this.model.root.data;
        if (hasAlias) {
            const chosen = picked ? picked.id : false;
            this.props = {
                ...this.props,
                context: { ...this.props.context, email_alias_chosen: chosen },
            };
        }
        return super.goToFullEvent(...arguments);
    },
});
