import { Component, onWillStart, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { Dialog } from "@web/core/dialog/dialog";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** Says why emails have not left, and offers what helps; looks again after each click. */
export class WhyDialog extends Component {
    static template = "user_email_alias.WhyDialog";
    static components = { Dialog };
    static props = {
        title: String,
        model: String,
        ids: { type: Array, element: Number },
        method: String,
        onChanged: Function,
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.state = useState({ reasons: [], isBusy: false });
        onWillStart(() => this.look());
    }

    get hasClicks() {
        return this.state.reasons.some((reason) => reason.clicks.length);
    }

    async look() {
        this.state.isBusy = true;
        try {
            const { model, method, ids } = this.props;
            this.state.reasons = await this.orm.call(model, method, [ids]);
        } finally {
            this.state.isBusy = false;
        }
    }

    formatMoment(at) {
        const moment = deserializeDateTime(at);
        return `${formatDateTime(moment)} (${moment.toRelative()})`;
    }

    click(click) {
        if (!click.confirm) {
            return this.obey(click);
        }
        this.dialog.add(ConfirmationDialog, {
            body: click.confirm,
            confirmLabel: click.label,
            confirm: () => this.obey(click),
            cancel: () => {},
        });
    }

    async obey(click) {
        if (click.action) {
            return this.leaveFor(click.action);
        }
        this.state.isBusy = true;
        let next;
        try {
            next = await this.orm.call(click.model, click.method, [[click.id]], {
                context: click.context || {},
            });
        } finally {
            this.state.isBusy = false;
        }
        const isNotice = next?.tag === "email_alias_notice";
        if (next?.type && !isNotice && next.tag !== "soft_reload") {
            return this.leaveFor(next);
        }
        this.props.onChanged(true);
        if (isNotice) {
            // what it would do next closes this dialogue, which says the rest itself
            const hint = next.params.hint && _t("The test did not pass: the answer is below.");
            const params = { ...next.params, hint, next: undefined };
            await this.action.doAction({ ...next, params });
        }
        await this.look();
    }

    leaveFor(action) {
        // the screen below need not show what has changed
        this.props.onChanged(false);
        this.props.close();
        return this.action.doAction(action);
    }
}

/** Opens the dialogue; the screen below shows what has changed when it closes. */
export function openWhy(env, action) {
    let isChanged = false;
    env.services.dialog.add(
        WhyDialog,
        { title: action.name, ...action.params, onChanged: (value) => (isChanged = value) },
        {
            onClose: () => {
                if (isChanged) {
                    env.services.action.doAction({
                        type: "ir.actions.client",
                        tag: "soft_reload",
                    });
                }
            },
        }
    );
}

registry.category("actions").add("email_alias_why", openWhy);
