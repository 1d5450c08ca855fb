import { HtmlComposerMessageField } from "@mail/views/web/fields/html_composer_message_field/html_composer_message_field";
import { markup } from "@odoo/owl";
import { useBus, useService } from "@web/core/utils/hooks";
import { setElementContent } from "@web/core/utils/html";
import { patch } from "@web/core/utils/patch";

patch(HtmlComposerMessageField.prototype, {
    setup() {
        super.setup();
        if (this.env.fullComposerBus) {
            const aliases = useService("email_alias");
            const store = useService("mail.store");
            useBus(this.env.fullComposerBus, "EMAIL_ALIAS_SELECTED", ({ detail }) => {
                const signature =
                    aliases.signature(detail.id) || store.self.main_user_id?.signature;
                this.replaceSignature(signature || "");
            });
        }
    },

    /** The signature follows the From as long as the user has left it in. */
    replaceSignature(signature) {
        const element = this.editor?.editable.querySelector(".o-signature-container");
        if (element) {
            const content = markup`<div data-o-mail-quote="1"><br>-- <br>${signature}</div>`;
            setElementContent(element, content);
            this.editor.shared.history.addStep();
        }
    },
});
