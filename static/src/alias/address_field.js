import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { formEmailField } from "@web/views/fields/email/email_field";

/** An email address, typed or picked from those of the signed-in mailbox. */
export class EmailAliasAddressField extends formEmailField.component {
    static template = "user_email_alias.AddressField";
    static components = { Dropdown, DropdownItem };

    get addresses() {
        const lines = this.props.record.data.oauth_addresses || "";
        return lines.split("\n").filter((line) => line);
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    pick(address) {
        this.props.record.update({ [this.props.name]: address });
    }
}

registry.category("fields").add("email_alias_address", {
    ...formEmailField,
    component: EmailAliasAddressField,
});
