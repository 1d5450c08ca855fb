import { MessagingMenu } from "@mail/core/public_web/messaging_menu";
import { useState } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

patch(MessagingMenu.prototype, {
    setup() {
        super.setup();
        this.emailAliases = useState(useService("email_alias"));
    },

    /** Aliases that wait for their owner, apart from what is a failure of a message. */
    get emailAliasNotices() {
        return this.emailAliases.list.filter(
            (alias) => alias.state === "hold" || alias.uncertain_bulk_count
        );
    },

    openEmailAlias(alias) {
        this.dropdown.close();
        this.emailAliases.open(alias);
    },

    decideEmailAliasFailure(failure, method) {
        return this.env.services.orm.call("mail.message", method, [
            failure.emailAliasUncertainIds,
        ]);
    },

    get hasPreviews() {
        return (
            super.hasPreviews ||
            (this.emailAliasNotices.length > 0 &&
                this.store.discuss.activeTab === "notification")
        );
    },

    get counter() {
        return super.counter + this.emailAliasNotices.length;
    },
});
