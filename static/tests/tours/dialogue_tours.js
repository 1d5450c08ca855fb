import { chooseFrom, openLead } from "@user_email_alias/../tests/tours/alias_tours";
import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const WORK = "Alice Adams <alice@a.example.com>";
const SECOND = "Alice Adams <alice@other.example.com>";
const ASKED = ".o_email_alias_send_now";

const send = () => [
    { trigger: `.modal:has(${ASKED}) .modal-footer .btn-primary`, run: "click" },
    { trigger: `body:not(:has(${ASKED}))` },
];

tours.add("user_email_alias_send_now", {
    steps: () => [
        ...openLead("Tour lead"),
        { trigger: ".o-mail-ActivityMailTemplate-send", run: "click" },
        {
            content: "The default alias is picked",
            trigger: `${ASKED} .o_email_alias_select:contains("${WORK}")`,
        },
        ...chooseFrom(ASKED, SECOND),
        ...send(),
        {
            content: "The message is in the chatter",
            trigger: '.o-mail-Message-body:contains("Good morning")',
        },
        { trigger: ".o_back_button, .o_breadcrumb a", run: "click" },
        { trigger: ".o_switch_view.o_activity", run: "click" },
        {
            content: "The menu above a column of activities",
            trigger: ".o_activity_type_cell [data-bs-toggle='dropdown']",
            run: "click",
        },
        { trigger: ".o_send_mail_template", run: "click" },
        { trigger: `${ASKED} .o_email_alias_select:contains("${WORK}")` },
        ...send(),
    ],
});
