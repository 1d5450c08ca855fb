import { markup, reactive } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { session } from "@web/session";

/**
 * What the user can write as. The list comes with the page and follows over the bus;
 * nobody asks the server for it.
 */
export class EmailAliases {
    constructor(list, action) {
        this.list = list;
        this.action = action;
    }

    /** Those one can send with: a From Address and a way out are filled in. */
    get usable() {
        return this.list.filter((alias) => alias.is_complete);
    }

    get default() {
        return this.usable.find((alias) => alias.is_default);
    }

    /** Those that wait for their owner. */
    get troubled() {
        return this.list.filter((alias) => alias.state === "hold" || alias.uncertain_count);
    }

    get(id) {
        return this.list.find((alias) => alias.id === id);
    }

    /** The signature of an alias's own; the server has sanitised it. */
    signature(id) {
        const html = this.get(id)?.signature;
        return html ? markup(html) : "";
    }

    /** Open what its owner has to see: the alias, or what is uncertain of it. */
    open(alias) {
        if (alias.state === "hold" || !alias.uncertain_count) {
            return this.action.doAction({
                type: "ir.actions.act_window",
                res_model: "user.email.alias",
                res_id: alias.id,
                views: [[false, "form"]],
            });
        }
        return this.action.doAction("user_email_alias.user_email_alias_log_action", {
            additionalContext: {
                search_default_alias_id: alias.id,
                search_default_uncertain: 1,
            },
        });
    }
}

export const emailAliasService = {
    dependencies: ["action", "bus_service", "notification"],
    start(env, { action, bus_service: bus, notification }) {
        const outcome = session.email_alias_outcome;
        if (outcome) {
            // one comes back from the provider's page with one sentence
            notification.add(outcome.message, {
                type: outcome.type,
                sticky: outcome.type !== "success",
            });
        }
        const aliases = reactive(new EmailAliases(session.email_aliases || [], action));
        bus.subscribe("user_email_alias/changed", (payload) => {
            aliases.list = payload.aliases;
        });
        bus.subscribe("user_email_alias/trouble", ({ alias_id, title, message }) => {
            const close = notification.add(message, {
                title,
                type: "danger",
                sticky: true,
                buttons: [
                    {
                        name: _t("Open"),
                        primary: true,
                        onClick: () => {
                            close();
                            aliases.open(aliases.get(alias_id) || { id: alias_id });
                        },
                    },
                ],
            });
        });
        return aliases;
    },
};

registry.category("services").add("email_alias", emailAliasService);
