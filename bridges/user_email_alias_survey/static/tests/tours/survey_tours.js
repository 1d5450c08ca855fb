import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const DIALOGUE = ".modal:has(button[name=action_invite])";
const WORK = "Ada Lovelace <ada@example.com>";

tours.add("user_email_alias_survey", {
    steps: () => [
        { trigger: "button[name=action_send_survey]:visible", run: "click" },
        {
            content: "The default alias is picked",
            trigger: `${DIALOGUE} .o_email_alias_select:contains("${WORK}")`,
        },
        {
            trigger: `${DIALOGUE} .o_field_widget[name=partner_ids] input`,
            run: "edit Guest 0",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Guest 0')",
            run: "click",
        },
        {
            trigger: `${DIALOGUE} .o_field_widget[name=partner_ids] .o_tag:contains('Guest 0')`,
        },
        {
            trigger: `${DIALOGUE} .o_field_widget[name=emails] textarea`,
            run: "edit other@example.org",
        },
        { trigger: `${DIALOGUE} button[name=action_invite]`, run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
