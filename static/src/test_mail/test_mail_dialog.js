import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { Checklist } from "@user_email_alias/test_mail/checklist";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** What the server is doing, by the method that does it. */
const STEPS = {
    send_test_mail: _t("The mail server gets it…"),
    look_for_test_mail: _t("Waiting until it has arrived, for half a minute at most…"),
};

/** Goes through the steps of a test mail, one request each, and shows the result. */
export class TestMailDialog extends Component {
    static template = "user_email_alias.TestMailDialog";
    static components = { Checklist, Dialog };
    static props = {
        title: String,
        id: Number,
        steps: { type: Array, element: String },
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ lines: [], step: null, seconds: 0 });
        onMounted(() => this.run());
        onWillUnmount(() => clearInterval(this.timer));
    }

    get stepText() {
        return STEPS[this.state.step];
    }

    async run() {
        this.timer = setInterval(() => this.state.seconds++, 1000);
        try {
            for (const step of this.props.steps) {
                this.state.step = step;
                const { goes_on, lines } = await this.orm.silent.call(
                    "user.email.alias",
                    step,
                    [[this.props.id]]
                );
                this.state.lines = lines;
                if (!goes_on) {
                    break;
                }
            }
        } catch (error) {
            // the dialogue of the error says why; nothing is left to show here
            this.props.close();
            throw error;
        } finally {
            clearInterval(this.timer);
            this.state.step = null;
        }
    }
}

/** Opens the dialogue; the alias below shows the result when it closes. */
export function openTestMail(env, action) {
    env.services.dialog.add(
        TestMailDialog,
        { title: action.name, ...action.params },
        {
            onClose: () =>
                env.services.action.doAction({
                    type: "ir.actions.client",
                    tag: "soft_reload",
                }),
        }
    );
}

registry.category("actions").add("email_alias_test_mail", openTestMail);
