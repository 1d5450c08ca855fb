import { Composer } from "@mail/core/common/composer_model";
import { patch } from "@web/core/utils/patch";

patch(Composer.prototype, {
    setup() {
        super.setup();
        /**
         * Whom the user chose to write as: an alias, false for Odoo's own mail server;
         * undefined as long as the proposal stands.
         * @type {number|false|undefined}
         */
        this.chosenEmailAliasId = undefined;
    },

    clear() {
        super.clear();
        this.chosenEmailAliasId = undefined;
    },

    /** @returns {number|false} whom this is written as when it is sent now */
    get emailAliasId() {
        const aliases = this.store.env.services.email_alias;
        const isUsable = (id) => Boolean(aliases.get(id)?.is_complete);
        if (this.chosenEmailAliasId === false || isUsable(this.chosenEmailAliasId)) {
            return this.chosenEmailAliasId;
        }
        const proposed = this.targetThread?.emailAliasProposal;
        return isUsable(proposed) ? proposed : aliases.default?.id || false;
    },
});
