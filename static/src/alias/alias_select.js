import { Component, useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/** Chooses one of the user's own aliases, or none: Odoo's outgoing mail server. */
export class EmailAliasSelect extends Component {
    static template = "user_email_alias.Select";
    static components = { Dropdown, DropdownItem };
    static props = {
        value: [Number, Boolean],
        onSelect: Function,
        /** shown when the alias is none of the user's own */
        label: { type: String, optional: true },
        readonly: { type: Boolean, optional: true },
        id: { type: String, optional: true },
        className: { type: String, optional: true },
    };
    static defaultProps = { className: "" };

    setup() {
        this.aliases = useState(useService("email_alias"));
    }

    get current() {
        return this.aliases.get(this.props.value);
    }

    get label() {
        if (!this.props.value) {
            return _t("Odoo's outgoing mail server");
        }
        return this.current?.display_name || this.props.label || "";
    }

    /** The accessible name holds what is shown (WCAG 2.5.3). */
    get name() {
        return _t("From: %s", this.label);
    }

    /** Why a mail written as this alias would wait. */
    get warning() {
        if (this.current?.state === "hold") {
            return _t("On hold: %s", this.current.state_message);
        }
        return "";
    }
}
