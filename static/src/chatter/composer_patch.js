import { Composer } from "@mail/core/common/composer";
import { EmailAliasSelect } from "@user_email_alias/alias/alias_select";
import { markup, toRaw, useEffect, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";

Object.assign(Composer.components, { EmailAliasSelect });

patch(Composer.prototype, {
    setup() {
        super.setup();
        this.emailAliases = useState(useService("email_alias"));
        // The chatter asks for what fits its record; an answer in the Inbox is about another.
        useEffect(
            (thread, isAsking) => {
                if (isAsking && thread.emailAliasProposal === undefined) {
                    thread.fetchThreadData(["emailAliasProposal"]);
                }
            },
            () => [this.thread, this.hasEmailAlias && !this.env.inChatter]
        );
    },

    /** Whether what is written here leaves as an email of the user's own. */
    get hasEmailAlias() {
        return Boolean(
            this.props.type === "message" &&
                !this.message &&
                this.thread &&
                this.thread.model !== "discuss.channel" &&
                this.emailAliases.usable.length
        );
    },

    selectEmailAlias(id) {
        this.props.composer.chosenEmailAliasId = id;
    },

    get postData() {
        const postData = super.postData;
        if (this.hasEmailAlias) {
            postData.emailAliasId = toRaw(this.props.composer).emailAliasId;
        }
        return postData;
    },

    async _sendMessage(value, postData) {
        const thread = toRaw(this.thread);
        const message = await super._sendMessage(...arguments);
        if (postData.emailAliasId) {
            // what the server would propose from now on
            thread.emailAliasProposal = postData.emailAliasId;
        }
        return message;
    },

    // The full composer starts with the choice and hands it back.

    /** @override no default: code that runs while this is sent would take it as well */
    get fullComposerAdditionalContext() {
        const context = super.fullComposerAdditionalContext;
        if (this.hasEmailAlias) {
            return { ...context, email_alias_chosen: this.props.composer.emailAliasId };
        }
        return context;
    },

    async onClickFullComposer() {
        this.fullComposerBus.addEventListener("EMAIL_ALIAS_SELECTED", ({ detail }) => {
            this.props.composer.chosenEmailAliasId = detail.id;
        });
        return super.onClickFullComposer(...arguments);
    },

    /** @override an alias may have a signature of its own */
    formatDefaultBodyForFullComposer(defaultBody, signature = "") {
        const composer = toRaw(this.props.composer);
        if (this.hasEmailAlias && composer.emailAddSignature) {
            const own = this.emailAliases.signature(composer.emailAliasId);
            signature = own
                ? markup`<div data-o-mail-quote="1"><br>-- <br>${own}</div>`
                : signature;
        }
        return super.formatDefaultBodyForFullComposer(defaultBody, signature);
    },

    // The choice is part of the draft.

    saveContent() {
        super.saveContent();
        const { chosenEmailAliasId, localId } = toRaw(this.props.composer);
        const draft = browser.localStorage.getItem(localId);
        if (draft && chosenEmailAliasId !== undefined) {
            const content = { ...JSON.parse(draft), emailAliasId: chosenEmailAliasId };
            browser.localStorage.setItem(localId, JSON.stringify(content));
        }
    },

    restoreContent() {
        const composer = toRaw(this.props.composer);
        super.restoreContent();
        const draft = browser.localStorage.getItem(composer.localId);
        if (draft) {
            composer.chosenEmailAliasId ??= JSON.parse(draft).emailAliasId;
        }
    },
});
