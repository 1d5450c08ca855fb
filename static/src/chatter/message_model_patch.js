import { Message } from "@mail/core/common/message_model";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { patch } from "@web/core/utils/patch";

patch(Message.prototype, {
    setup() {
        super.setup();
        /**
         * What became of a message that was written with an alias, by the server.
         * @type {{
         *     alias_id: number,
         *     is_mine: boolean,
         *     from: string,
         *     state: ""|"waiting"|"sent"|"refused"|"unsent"|"uncertain"|"cancelled",
         *     until: string|false,
         *     reply: string,
         * }|undefined}
         */
        this.emailAliasOutcome = undefined;
    },

    /** @returns {import("luxon").DateTime|undefined} when a waiting message is tried */
    get emailAliasUntil() {
        const until = this.emailAliasOutcome?.until;
        return until ? deserializeDateTime(until) : undefined;
    },
});
