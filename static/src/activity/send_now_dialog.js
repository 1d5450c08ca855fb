import { Component, useState } from "@odoo/owl";
import { EmailAliasSelect } from "@user_email_alias/alias/alias_select";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/** Asks for the From before an activity's template is sent without a composer. */
export class SendNowDialog extends Component {
    static template = "user_email_alias.SendNowDialog";
    static components = { Dialog, EmailAliasSelect };
    static props = {
        model: String,
        resIds: { type: Array, element: Number },
        templateId: Number,
        /** the alias that fits the one record, if the server has said which */
        proposal: { type: [Number, Boolean], optional: true },
        onSent: { type: Function, optional: true },
        close: Function,
    };

    setup() {
        this.orm = useService("orm");
        const proposal = this.props.proposal ?? useService("email_alias").default?.id;
        this.state = useState({ aliasId: proposal || false, isSending: false });
    }

    get title() {
        const count = this.props.resIds.length;
        return count === 1 ? _t("Send Now") : _t("Send to %s records", count);
    }

    select(id) {
        this.state.aliasId = id;
    }

    async send() {
        this.state.isSending = true;
        const { model, resIds, templateId, onSent, close } = this.props;
        try {
            await this.orm.call(model, "activity_send_mail", [resIds, templateId], {
                context: { email_alias_picked_id: this.state.aliasId },
            });
        } finally {
            this.state.isSending = false;
        }
        close();
        onSent?.();
    }
}
