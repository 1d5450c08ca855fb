import { chooseFrom } from "@user_email_alias/../tests/tours/alias_tours";
import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const DIALOGUE = ".modal:has(.o_field_widget[name=subject])";
const WORK = "Ada Lovelace <ada@example.com>";
const NOBODY = "Odoo's outgoing mail server";

tours.add("user_email_alias_applicants", {
    steps: () => [
        {
            content: "Pick all of the list",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu span:contains('Send Email')", run: "click" },
        {
            content: "The default alias is picked",
            trigger: `${DIALOGUE} .o_email_alias_select:contains("${WORK}")`,
        },
        ...chooseFrom(DIALOGUE, NOBODY),
        ...chooseFrom(DIALOGUE, WORK),
        {
            trigger: `${DIALOGUE} .o_field_widget[name=subject] input`,
            run: "edit Your application",
        },
        {
            trigger: `${DIALOGUE} .o_field_widget[name=body] .odoo-editor-editable`,
            run: "editor Thank you for it",
        },
        { trigger: `${DIALOGUE} button[name=action_send]`, run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
