import { onMounted } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

/** Each step asks for one thing: Enter in its field presses the first button. */
export class EmailAliasSetupFormController extends FormController {
    /** @override */
    setup() {
        super.setup();
        onMounted(() => {
            const root = this.rootRef.el;
            root.addEventListener("keydown", this.onKeydown.bind(this));
            // core looks after the first step only, whose record is new
            root.querySelector("[name=smtp_password] input, button.btn-primary")?.focus();
        });
    }

    onKeydown(ev) {
        if (ev.key !== "Enter" || ev.isComposing || !ev.target.matches("input")) {
            return;
        }
        ev.preventDefault();
        const dialog = ev.target.closest(".modal-content");
        dialog?.querySelector("footer .btn-primary:not(:disabled)")?.click();
    }
}

registry.category("views").add("email_alias_setup_form", {
    ...formView,
    Controller: EmailAliasSetupFormController,
});
