import { openLead } from "@user_email_alias/../tests/tours/alias_tours";
import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const message = (text) => `.o-mail-Message:contains("${text}")`;

tours.add("user_email_alias_uncertain", {
    steps: () => [
        ...openLead("Tour lead"),
        {
            content: "It says that nobody knows",
            trigger: `${message("The doubtful one")} .o_email_alias_outcome[data-state=uncertain]`,
        },
        {
            trigger: `${message("The doubtful one")} .o_email_alias_outcome button:contains("Mark as sent")`,
            run: "click",
        },
        {
            content: "It is told at once, without a reload",
            trigger: `${message("The doubtful one")} .o_email_alias_outcome[data-state=sent]`,
        },
        {
            trigger: ".o_menu_systray i[aria-label='Messages']",
            run: "click",
        },
        {
            content: "Odoo's menu of failures has the buttons, too",
            trigger:
                ".o-mail-NotificationItem:contains('uncertain whether an email on “Tour lead”') a:contains('Send again')",
            run: "click",
        },
        {
            trigger: `${message("The second one")} .o_email_alias_outcome[data-state=waiting]`,
        },
    ],
});

tours.add("user_email_alias_hold", {
    steps: () => [
        {
            content: "A dot in the user menu",
            trigger: ".o_user_menu .o_email_alias_dot_menu",
        },
        { trigger: ".o_menu_systray i[aria-label='Messages']", run: "click" },
        {
            trigger:
                ".o-mail-NotificationItem:contains('Email alias on hold: Work'):contains('535 5.7.8')",
            run: "click",
        },
        {
            content: "It leads to the alias, which says what to do",
            trigger: ".o_form_view .alert-danger:contains('535 5.7.8')",
        },
        { trigger: ".o_user_menu .dropdown-toggle", run: "click" },
        {
            trigger: '.dropdown-item[data-menu="email_aliases"]:has(.o_email_alias_dot)',
            run: "click",
        },
        {
            content: "The card says so, too",
            trigger: ".o_email_alias_kanban .o_kanban_record:contains('On hold'):contains('535 5.7.8')",
        },
        { trigger: ".o_email_alias_kanban .o_kanban_record:contains('alice@other')" },
    ],
});
