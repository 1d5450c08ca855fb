import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const ICONS = {
    cancelled: "fa-ban",
    refused: "fa-exclamation-circle text-danger",
    sent: "fa-paper-plane-o",
    uncertain: "fa-question-circle text-warning",
    unsent: "fa-exclamation-circle text-danger",
    waiting: "fa-hourglass-half",
};

/** Below a message: from which address it left, and what became of it. */
export class EmailAliasOutcome extends Component {
    static template = "user_email_alias.Outcome";
    static props = { message: Object };

    setup() {
        this.aliases = useState(useService("email_alias"));
        this.orm = useService("orm");
        this.state = useState({ isBusy: false });
    }

    get outcome() {
        return this.props.message.emailAliasOutcome;
    }

    get icon() {
        return ICONS[this.outcome.state] || "fa-at";
    }

    /** The alias is mine and waits for me to act. */
    get isOnHold() {
        const alias = this.aliases.get(this.outcome.alias_id);
        return this.outcome.state === "waiting" && alias?.state === "hold";
    }

    get reply() {
        if (this.isOnHold) {
            return this.aliases.get(this.outcome.alias_id).state_message;
        }
        return this.outcome.reply;
    }

    get text() {
        switch (this.outcome.state) {
            case "sent":
                return _t("sent");
            case "refused":
                return _t("refused");
            case "unsent":
                return _t("not sent");
            case "uncertain":
                return _t("uncertain whether it arrived");
            case "cancelled":
                return _t("cancelled");
            case "waiting":
                if (this.isOnHold) {
                    return _t("waiting, the alias is on hold");
                }
                if (this.props.message.emailAliasUntil) {
                    return _t("waiting until %s", this.untilText);
                }
                return _t("waiting to be sent");
        }
        return "";
    }

    get untilText() {
        const until = this.props.message.emailAliasUntil;
        const format = until.hasSame(luxon.DateTime.now(), "day")
            ? luxon.DateTime.TIME_SIMPLE
            : luxon.DateTime.DATETIME_SHORT;
        return until.toLocaleString(format);
    }

    openAlias() {
        this.aliases.open(this.aliases.get(this.outcome.alias_id));
    }

    async call(method) {
        this.state.isBusy = true;
        try {
            await this.orm.call("mail.message", method, [[this.props.message.id]]);
        } finally {
            this.state.isBusy = false;
        }
    }
}
