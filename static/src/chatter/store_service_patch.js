import { Store } from "@mail/core/common/store_service";
import { patch } from "@web/core/utils/patch";

patch(Store.prototype, {
    /** @override what the user sees as From is what the server is asked for */
    async getMessagePostParams({ postData }) {
        const params = await super.getMessagePostParams(...arguments);
        if (postData.emailAliasId !== undefined) {
            params.post_data.email_alias_id = postData.emailAliasId;
        }
        return params;
    },
});
