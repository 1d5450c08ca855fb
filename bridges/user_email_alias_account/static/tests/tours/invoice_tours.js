import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const DIALOGUE = ".modal:has(button[name=action_send_and_print])";
const WORK = "Ada Lovelace <ada@example.com>";

tours.add("user_email_alias_invoice", {
    steps: () => [
        {
            trigger: ".o_form_view button:visible:contains('Send')",
            run: "click",
        },
        {
            content: "The default alias is picked",
            trigger: `${DIALOGUE} .o_email_alias_select:contains("${WORK}")`,
        },
        { trigger: `${DIALOGUE} button[name=action_send_and_print]`, run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "Below the message stands who it is from",
            trigger: `.o-mail-Message:contains("${WORK}")`,
        },
    ],
});
