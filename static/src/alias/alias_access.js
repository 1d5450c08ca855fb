import { markup } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

const ACTION = "user_email_alias.user_email_alias_action";

/** Every internal user reaches the own aliases from the menu at the top right. */
function emailAliasItem(env) {
    const { email_alias: aliases, action } = env.services;
    const label = _t("My Email Aliases");
    return {
        type: "item",
        id: "email_aliases",
        description: aliases.troubled.length
            ? markup`${label} <span class="o_email_alias_dot ms-2" title="${_t(
                  "An alias waits for you"
              )}"></span>`
            : label,
        callback: () => action.doAction(ACTION, { clearBreadcrumbs: true }),
        sequence: 52,
    };
}

registry.category("user_menuitems").add("email_aliases", emailAliasItem);

registry.category("command_provider").add("email_aliases", {
    provide: (env) => [
        {
            name: _t("Email Alias: open my aliases"),
            category: "app",
            action: () => env.services.action.doAction(ACTION),
        },
    ],
});
