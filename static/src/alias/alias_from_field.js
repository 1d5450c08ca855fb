import { Component } from "@odoo/owl";
import { EmailAliasSelect } from "@user_email_alias/alias/alias_select";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The From of a form: nothing can be typed into it by mistake. */
export class EmailAliasFromField extends Component {
    static template = "user_email_alias.FromField";
    static components = { EmailAliasSelect };
    static props = { ...standardFieldProps };

    setup() {
        this.aliases = useService("email_alias");
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    select(id) {
        const alias = this.aliases.get(id);
        this.props.record.update({
            [this.props.name]: alias ? { id, display_name: alias.display_name } : false,
        });
        this.env.fullComposerBus?.trigger("EMAIL_ALIAS_SELECTED", { id });
    }
}

registry.category("fields").add("email_alias_from", {
    component: EmailAliasFromField,
    supportedTypes: ["many2one"],
});
