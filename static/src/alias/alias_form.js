import { noticeAction } from "@user_email_alias/notice/notice_action";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

/**
 * A sign-in may be the first thing done on an alias, so that no field is required
 * before. Without a sign-in an empty form makes no alias.
 */
export class EmailAliasFormController extends FormController {
    isEmpty(record) {
        const { name, email_from, smtp_server } = record.data;
        return record.isNew && !name && !email_from && !smtp_server;
    }

    /** @override */
    async beforeExecuteActionButton(clickParams) {
        this.isSigningIn = Boolean(clickParams.name?.startsWith("action_sign_in"));
        try {
            return await super.beforeExecuteActionButton(clickParams);
        } catch (error) {
            if (await this.markField(error)) {
                return false;
            }
            throw error;
        } finally {
            this.isSigningIn = false;
        }
    }

    /** @override */
    async onWillSaveRecord(record) {
        if (this.isEmpty(record) && !this.isSigningIn) {
            await record.setInvalidField("name");
            await record.setInvalidField("email_from");
            const message = _t("Missing required fields");
            noticeAction(this.env, { params: { message, type: "danger" } });
            return false;
        }
        return super.onWillSaveRecord(...arguments);
    }

    /** @override */
    async onSaveError(error) {
        return (await this.markField(error)) ? false : super.onSaveError(...arguments);
    }

    /**
     * Mark the field that the server found wrong, without a dialogue.
     *
     * @returns {Promise<boolean>} whether it was about one field
     */
    async markField(error) {
        const fname = error.data?.context?.email_alias_field;
        const record = this.model.root;
        if (!fname || !(fname in record.activeFields)) {
            return false;
        }
        await record.setInvalidField(fname);
        noticeAction(this.env, { params: { message: error.data.message, type: "danger" } });
        return true;
    }

    /** @override */
    async beforeUnload() {
        if (!this.isEmpty(this.model.root)) {
            return super.beforeUnload(...arguments);
        }
    }
}

registry.category("views").add("email_alias_form", {
    ...formView,
    Controller: EmailAliasFormController,
});
