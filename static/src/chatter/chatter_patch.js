import { Chatter } from "@mail/chatter/web_portal/chatter";
import { EmailAliasSelect } from "@user_email_alias/alias/alias_select";
import { useState } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

Object.assign(Chatter.components, { EmailAliasSelect });

patch(Chatter.prototype, {
    setup() {
        super.setup(...arguments);
        this.emailAliases = useState(useService("email_alias"));
    },
});
