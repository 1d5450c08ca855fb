import { tours } from "@user_email_alias/../tests/tours/patient_tours";
import { stepUtils } from "@web_tour/tour_utils";

// where the test's mail server listens; the router drops it from the address later
const PORT = new URLSearchParams(location.search).get("port");

/** Reach a lead by the menus, as a person does. */
export function openLead(name) {
    return [
        ...stepUtils.toggleHomeMenu(),
        ...stepUtils.goToAppSteps("crm.crm_menu_root", "Open CRM"),
        {
            content: "Open the lead",
            trigger: `.o_kanban_record:contains("${name}")`,
            run: "click",
        },
        { trigger: ".o-mail-Chatter-sendMessage:enabled" },
    ];
}

/** Choose who an open form or composer writes as. */
export function chooseFrom(scope, label) {
    return [
        {
            content: "Open the menu of aliases",
            trigger: `${scope} .o_email_alias_select`,
            run: "click",
        },
        {
            content: `Choose ${label}`,
            trigger: `.o_email_alias_menu .o_email_alias_option:contains("${label}")`,
            run: "click",
        },
        { trigger: `${scope} .o_email_alias_select:contains("${label}")` },
    ];
}

tours.add("user_email_alias_create_test_send", {
    steps: () => [
        {
            content: "Open the user menu",
            trigger: ".o_user_menu .dropdown-toggle",
            run: "click",
        },
        {
            trigger: '.dropdown-item[data-menu="email_aliases"]',
            run: "click",
        },
        {
            content: "An empty list says what to do",
            trigger: '.o_view_nocontent:contains("Write from your own mailbox")',
        },
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".modal button[name=action_by_hand]", run: "click" },
        {
            content: "Nothing is saved while nothing is filled in",
            trigger: ".o_form_view button:contains('Save')",
            run: "click",
        },
        { trigger: ".o_notification:contains('Missing required fields')" },
        { trigger: ".o_field_widget.o_field_invalid[name=name]" },
        {
            trigger: ".o_field_widget[name=name] input",
            run: "edit My work mailbox",
        },
        {
            trigger: ".o_field_widget[name=alias_name] input",
            run: "edit Alice Tour",
        },
        {
            trigger: ".o_field_widget[name=email_from] input",
            run: "edit alice@tour.example.com",
        },
        {
            trigger: ".o_field_widget[name=smtp_server] input",
            run: "edit mail server.example",
        },
        { trigger: ".o_form_view button:contains('Save')", run: "click" },
        {
            content: "What is wrong with a field is marked there, without a dialogue",
            trigger: "body:not(:has(.o_dialog)) .o_field_invalid[name=smtp_server]",
        },
        { trigger: ".o_notification:contains('must not contain spaces')" },
        {
            content: "What was copied along is put right",
            trigger: ".o_field_widget[name=smtp_server] input",
            run: `edit smtp://localhost : ${PORT}`,
        },
        {
            trigger: ".o_field_widget[name=smtp_user] input",
            run: "edit alice",
        },
        {
            content: "One field says where copies go; a server of one's own opens below it",
            trigger: ".o_field_widget[name=imap_mailbox_id] select",
            run: "selectByLabel A server of my own",
        },
        { trigger: ".o_required_modifier[name=imap_server] input" },
        {
            trigger: ".o_field_widget[name=imap_mailbox_id] select",
            run: "selectByLabel None",
        },
        { trigger: ".o_form_view:not(:has([name=imap_server]))" },
        {
            trigger: ".o_field_widget[name=smtp_password] input",
            run: "edit wrong password",
        },
        { trigger: "button[name=action_test_connection]", run: "click" },
        {
            content: "A refused password is told in the server's own words",
            trigger: '.alert-warning:contains("535 5.7.8")',
        },
        {
            content: "It stands there once; the notice only points at it",
            trigger: '.o_notification:contains("The test did not pass"):not(:contains("535"))',
        },
        {
            trigger: ".o_field_widget[name=smtp_password] input",
            run: "edit secret",
        },
        { trigger: "button[name=action_test_connection]", run: "click" },
        { trigger: '.o_notification:contains("Status: OK"):only-child' },
        { trigger: '.alert-success:contains("Status: OK")' },
        {
            content: "The password is not there to be read",
            trigger: ".o_field_widget[name=smtp_password] input:value()",
        },
        ...openLead("Tour lead"),
        { trigger: ".o-mail-Chatter-sendMessage", run: "click" },
        { trigger: "button[title='Open Full Composer']", run: "click" },
        {
            content: "The default alias is picked",
            trigger: `.o_mail_composer_form_view .o_email_alias_select:contains("Alice Tour <alice@tour.example.com>")`,
        },
        {
            trigger: ".o_mail_composer_form_view [name=subject] input",
            run: "edit Tour subject",
        },
        {
            trigger: ".o_mail_composer_form_view .note-editable",
            run: "editor Good morning",
        },
        { trigger: ".o_mail_send", run: "click" },
        { trigger: '.o-mail-Message-body:contains("Good morning")' },
    ],
});

tours.add("user_email_alias_mass", {
    steps: () => [
        ...stepUtils.toggleHomeMenu(),
        ...stepUtils.goToAppSteps("crm.crm_menu_root", "Open CRM"),
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_list_view thead .o_list_record_selector input", run: "click" },
        { trigger: ".o_control_panel button:contains('Email')", run: "click" },
        {
            content: "The default alias is picked",
            trigger: `.modal .o_email_alias_select:contains("alice@a.example.com")`,
        },
        ...chooseFrom(".modal", "alice@other.example.com"),
        { trigger: ".modal [name=subject] input", run: "edit To all of you" },
        { trigger: ".modal .note-editable", run: "editor Dear all" },
        { trigger: ".modal .o_mail_send", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

tours.add("user_email_alias_mailing", {
    steps: () => [
        ...stepUtils.toggleHomeMenu(),
        ...stepUtils.goToAppSteps(
            "mass_mailing.mass_mailing_menu_root",
            "Open Email Marketing"
        ),
        { trigger: ".o-kanban-button-new, .o_list_button_add", run: "click" },
        { trigger: "[name=subject] input", run: "edit News of the tour" },
        {
            content: "The default alias is picked",
            trigger: `[name=email_alias_id] .o_email_alias_select:contains("alice@a.example.com")`,
        },
        ...chooseFrom("[name=email_alias_id]", "alice@other.example.com"),
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_view:not(:has(.o_form_button_save:visible))" },
    ],
});
