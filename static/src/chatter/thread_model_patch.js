import { Thread } from "@mail/core/common/thread_model";
import { patch } from "@web/core/utils/patch";

patch(Thread.prototype, {
    setup() {
        super.setup();
        /**
         * The user's own alias that fits this conversation, by the server.
         * @type {number|false|undefined}
         */
        this.emailAliasProposal = undefined;
    },
});
