import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Milliseconds between two looks at a mailing that is being sent. */
const LOOK_EVERY = 2000;

/** How far a mailing is on its way through the alias, live while it runs. */
export class AliasProgress extends Component {
    static template = "user_email_alias.AliasProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ figures: null });
        onMounted(() => this.look());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    async look() {
        clearTimeout(this.timer);
        const id = this.props.record.resId;
        if (!id) {
            return;
        }
        this.state.figures = await this.orm.silent.call(
            "mailing.mailing",
            "email_alias_read_progress",
            [[id]]
        );
        if (this.state.figures.waiting || this.props.record.data.state === "sending") {
            this.timer = setTimeout(() => this.look(), LOOK_EVERY);
        }
    }

    async pause() {
        await this.call("action_email_alias_pause");
    }

    async resume() {
        await this.call("action_email_alias_resume");
    }

    async call(method) {
        await this.orm.call("mailing.mailing", method, [[this.props.record.resId]]);
        await this.look();
    }

    async cancel() {
        const action = await this.orm.call("mailing.mailing", "action_email_alias_cancel", [
            [this.props.record.resId],
        ]);
        await this.action.doAction(action, { onClose: () => this.look() });
    }
}

registry.category("view_widgets").add("email_alias_progress", { component: AliasProgress });
