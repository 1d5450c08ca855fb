import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const LEVELS = {
    good: { icon: "fa-check text-success", name: _t("Good") },
    odd: { icon: "fa-exclamation-triangle text-warning", name: _t("To look at") },
    bad: { icon: "fa-times text-danger", name: _t("Bad") },
    plain: { icon: "fa-info-circle text-muted", name: _t("Note") },
};

/** The lines of a test mail's result, each with a mark that is read out as well. */
export class Checklist extends Component {
    static template = "user_email_alias.Checklist";
    static props = { lines: { type: Array, element: Object } };

    getLevel(line) {
        return LEVELS[line.level];
    }
}

export class ChecklistField extends Component {
    static template = "user_email_alias.ChecklistField";
    static components = { Checklist };
    static props = { ...standardFieldProps };

    get lines() {
        return this.props.record.data[this.props.name] || [];
    }
}

registry.category("fields").add("email_alias_checklist", {
    component: ChecklistField,
    supportedTypes: ["json"],
});
