import { chooseFrom } from "@user_email_alias/../tests/tours/alias_tours";
import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const WORK = "Ada Lovelace <ada@example.com>";
const SECOND = "Ada Lovelace <second@example.com>";

const writeToCustomer = (text) => [
    { trigger: ".o-mail-Chatter-sendMessage:not(.active)", run: "click" },
    {
        content: "The default alias is picked",
        trigger: `.o-mail-Chatter .o_email_alias_select:contains("${WORK}")`,
    },
    {
        content: "To is the customer, and nobody else",
        trigger: '.o-mail-RecipientsInput:contains("Guest 0"):not(:contains("Ada"))',
    },
    { trigger: ".o-mail-Composer-input", run: `edit ${text}` },
    { trigger: ".o-mail-Composer-send:enabled", run: "click" },
    {
        content: "Below the message stands who it is from",
        trigger: `.o-mail-Message:contains("${text}"):contains("${WORK}")`,
    },
];

tours.add("user_email_alias_twice", {
    steps: () => [...writeToCustomer("Good morning"), ...writeToCustomer("And again")],
});

tours.add("user_email_alias_invite", {
    steps: () => [
        { trigger: ".o_field_widget[name=name] input", run: "edit Lunch" },
        {
            trigger: ".o_field_widget[name=partner_ids] input",
            run: "edit Guest 0",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Guest 0')",
            run: "click",
        },
        { trigger: ".o_field_widget[name=partner_ids] .o_tag:contains('Guest 0')" },
        {
            content: "The default alias is picked",
            trigger: `.o_form_view .o_email_alias_select:contains("${WORK}")`,
        },
        { trigger: ".o_form_button_save:enabled", run: "click" },
        { trigger: ".o_form_saved, .o_form_view:not(:has(.o_form_dirty))" },
        {
            content: "It is there: the chatter has its first message",
            trigger: ".o-mail-Message",
        },
    ],
});

tours.add("user_email_alias_inbox", {
    steps: () => [
        {
            trigger: ".o-mail-Message:contains('A question')",
            run: "hover && click .o-mail-Message:contains('A question') [title='Expand']",
        },
        { trigger: ".o-dropdown-item[name='reply-to']", run: "click" },
        {
            content: "The alias this conversation used last is picked",
            trigger: `.o-mail-Composer .o_email_alias_select:contains("${SECOND}")`,
        },
        { trigger: ".o-mail-Composer-input", run: "edit An answer" },
        { trigger: ".o-mail-Composer-input", run: "press Enter" },
        { content: "It is posted", trigger: "body:not(:has(.o-mail-Composer-input))" },
    ],
});

const SHORT = ".modal .o_form_view";

tours.add("user_email_alias_more_options", {
    steps: () => [
        { trigger: ".scale_button_selection", run: "click" },
        { trigger: ".o-dropdown--menu .o-dropdown-item:contains('Month')", run: "click" },
        { trigger: ".fc-dayGridMonth-view .fc-day-today .fc-daygrid-day-top", run: "click" },
        { trigger: `${SHORT} .o_field_widget[name=name] input`, run: "edit Lunch" },
        ...chooseFrom(SHORT, SECOND),
        { trigger: ".modal-footer button:contains('More Options')", run: "click" },
        {
            content: "The full form has what was picked",
            trigger: `body:not(:has(.modal)) .o_form_view .o_email_alias_select:contains("${SECOND}")`,
        },
    ],
});
