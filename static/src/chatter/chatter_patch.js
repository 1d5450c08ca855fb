import { Chatter } from "@mail/chatter/web_portal/chatter";
import { EmailAliasSelect } from "@user_email_alias/alias/alias_select";
import { onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

Object.assign(Chatter.components, { EmailAliasSelect });

patch(Chatter.prototype, {
    setup() {
        super.setup(...arguments);
        this.emailAliases = useState(useService("email_alias"));
        this.mayCreateContacts = true;
        onWillStart(async () => {
            if (this.emailAliases.usable.length) {
                this.mayCreateContacts = await user.hasGroup("base.group_partner_manager");
            }
        });
    },

    /** Who stands in To and gets nothing: no contact is made for this user's recipients. */
    get emailAliasUnreached() {
        const { suggestedRecipients = [], additionalRecipients = [] } = this.state.thread || {};
        const unreached = this.mayCreateContacts
            ? []
            : [...suggestedRecipients, ...additionalRecipients].filter((r) => !r.partner_id);
        const names = unreached.map((recipient) => recipient.email || recipient.name).join(", ");
        return (
            names &&
            _t(
                "%s is no contact yet and gets nothing: you may not create contacts. Choose a contact, or ask somebody who may.",
                names
            )
        );
    },
});
