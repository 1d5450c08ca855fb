import { Failure } from "@mail/core/common/failure_model";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

patch(Failure.prototype, {
    /** Ids of the messages somebody has to decide on. */
    get emailAliasUncertainIds() {
        const uncertain = this.notifications.filter((n) => n.isEmailAliasUncertain);
        return [...new Set(uncertain.map((n) => n.mail_message_id.id))];
    },

    get body() {
        if (this.notifications.some((n) => !n.isEmailAliasUncertain)) {
            return super.body;
        }
        return this.notifications.length === 1 && this.lastMessage?.thread
            ? _t("It is uncertain whether an email on “%s” has arrived", this.lastMessage.thread.display_name)
            : _t("It is uncertain whether some emails have arrived");
    },
});
