import { Notification } from "@mail/core/common/notification_model";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

patch(Notification.prototype, {
    /** Nobody knows whether the mail arrived: its author decides. */
    get isEmailAliasUncertain() {
        return this.isFailure && this.failure_type === "email_alias_uncertain";
    },

    get failureMessage() {
        return this.isEmailAliasUncertain
            ? _t("Uncertain whether it arrived")
            : super.failureMessage;
    },
});
