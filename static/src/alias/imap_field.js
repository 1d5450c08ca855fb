import { Component, onWillStart } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const OWN = "own";

/** Where copies go: an incoming server one may use, a server of one's own, or none. */
export class EmailAliasImapField extends Component {
    static template = "user_email_alias.ImapField";
    static props = { ...standardFieldProps };

    setup() {
        const orm = useService("orm");
        onWillStart(async () => {
            const fields = ["display_name"];
            this.mailboxes = await orm.searchRead("user.email.alias.mailbox", [], fields);
        });
    }

    get mailbox() {
        return this.props.record.data[this.props.name];
    }

    get value() {
        if (this.mailbox) {
            return String(this.mailbox.id);
        }
        return this.props.record.data.is_own_imap ? OWN : "";
    }

    get options() {
        const { has_own_imap, is_own_imap } = this.props.record.data;
        const options = [{ value: "", label: _t("None") }];
        const mailboxes = [...this.mailboxes];
        if (this.mailbox && !mailboxes.some(({ id }) => id === this.mailbox.id)) {
            mailboxes.push(this.mailbox);
        }
        for (const { id, display_name } of mailboxes) {
            options.push({ value: String(id), label: display_name });
        }
        if (has_own_imap || is_own_imap) {
            options.push({ value: OWN, label: _t("A server of my own") });
        }
        return options;
    }

    get label() {
        return this.options.find(({ value }) => value === this.value).label;
    }

    choose(value) {
        const option = this.options.find((option) => option.value === value);
        const isOwn = value === OWN;
        const isMailbox = value && !isOwn;
        this.props.record.update({
            [this.props.name]: isMailbox
                ? { id: Number(value), display_name: option.label }
                : false,
            is_own_imap: isOwn,
            ...(isOwn ? {} : { imap_server: false }),
        });
    }
}

registry.category("fields").add("email_alias_imap", {
    component: EmailAliasImapField,
    supportedTypes: ["many2one"],
    fieldDependencies: [
        { name: "has_own_imap", type: "boolean" },
        { name: "is_own_imap", type: "boolean", readonly: false },
        { name: "imap_server", type: "char", readonly: false },
    ],
});
