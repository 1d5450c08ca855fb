import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const REASON = ".o_email_alias_why .o_email_alias_reason";

/** Press a button of the form's header, which a narrow screen keeps in a menu. */
function pressInHeader(name) {
    return [
        {
            trigger: ".o_statusbar_buttons",
            run({ anchor }) {
                anchor.querySelector(".o-dropdown, .dropdown-toggle")?.click();
            },
        },
        { trigger: `button[name=${name}]`, run: "click" },
    ];
}

tours.add("user_email_alias_why", {
    steps: () => [
        { trigger: ".o_form_view [name='paused']:contains('Paused.')" },
        ...pressInHeader("action_why"),
        { trigger: `${REASON}[data-key=paused]:contains('is paused')` },
        { trigger: `${REASON} button:contains('Resume')`, run: "click" },
        { trigger: `${REASON}[data-key=now]:contains('It leaves now.')` },
        { trigger: ".modal .o_email_alias_look:enabled", run: "click" },
        { trigger: `${REASON}[data-key=now]` },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: ".o_form_view:not(:has([name='paused']:contains('Paused.')))" },
    ],
});

/** The test of the connection is a click of the dialogue, which stays and looks again. */
tours.add("user_email_alias_why_test", {
    steps: () => [
        { trigger: "button:contains('Why is nothing leaving?')", run: "click" },
        {
            trigger: `${REASON}[data-key=hold] button:contains('Test Connection')`,
            run: "click",
        },
        { trigger: ".o_notification:contains('The test did not pass')" },
        { trigger: `${REASON}[data-key=hold]:contains('user name or password')` },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

tours.add("user_email_alias_why_list", {
    steps: () => [
        {
            content: "The list says it for each email",
            trigger: ".o_data_row .o_data_cell[name=why]:contains('is paused')",
        },
        { trigger: "button:contains('Why is nothing leaving?')", run: "click" },
        { trigger: `${REASON}[data-key=paused] button:contains('Resume')` },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

tours.add("user_email_alias_test_mail", {
    steps: () => [
        ...pressInHeader("action_test_mail"),
        {
            content: "It says what it waits for",
            trigger: ".o_email_alias_test_mail[aria-busy=true]",
        },
        {
            trigger: ".o_email_alias_test_mail li[data-level=good]:contains('It arrived')",
            timeout: 45000,
        },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        {
            content: "It stays on the alias",
            trigger: ".o_form_view .o_email_alias_checklist:contains('It arrived')",
        },
        { trigger: "button[name=action_look_for_test_mail]", run: "click" },
        {
            trigger: ".o_email_alias_test_mail[aria-busy=false]:contains('One copy')",
            timeout: 45000,
        },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
