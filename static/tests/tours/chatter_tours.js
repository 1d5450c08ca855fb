import { chooseFrom, openLead } from "@user_email_alias/../tests/tours/alias_tours";
import { tours } from "@user_email_alias/../tests/tours/patient_tours";

const CHATTER = ".o-mail-Chatter";
const FULL = ".o_mail_composer_form_view";
const WORK = "Alice Adams <alice@a.example.com>";
const SECOND = "Alice Adams <alice@other.example.com>";
const NOBODY = "Odoo's outgoing mail server";

const startMessage = () => [
    { trigger: ".o-mail-Chatter-sendMessage:not(.active)", run: "click" },
    { trigger: ".o-mail-Composer-input" },
];

const sendMessage = (text) => [
    { trigger: ".o-mail-Composer-input", run: `edit ${text}` },
    { trigger: ".o-mail-Composer-send:enabled", run: "click" },
    { trigger: `.o-mail-Message-body:contains("${text}")` },
];

const seeFrom = (scope, label) => ({
    content: `From is ${label}`,
    trigger: `${scope} .o_email_alias_select:contains("${label}")`,
});

tours.add("user_email_alias_chatter", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        seeFrom(CHATTER, WORK),
        ...sendMessage("By the default"),
        ...startMessage(),
        ...chooseFrom(CHATTER, SECOND),
        ...sendMessage("By another"),
        ...startMessage(),
        {
            ...seeFrom(CHATTER, SECOND),
            content: "A reply proposes what the conversation used last",
        },
        ...chooseFrom(CHATTER, NOBODY),
        ...sendMessage("As ever"),
        {
            content: "A note is nobody's email",
            trigger: ".o-mail-Chatter-logNote",
            run: "click",
        },
        { trigger: ".o-mail-Composer-send:contains(Log)" },
        { trigger: `${CHATTER}:not(:has(.o_email_alias_select))` },
        { trigger: ".o-mail-Composer-input", run: "edit A note" },
        { trigger: ".o-mail-Composer-send:enabled", run: "click" },
        { trigger: '.o-mail-Message-body:contains("A note")' },
    ],
});

tours.add("user_email_alias_draft", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        ...chooseFrom(CHATTER, SECOND),
        { trigger: ".o-mail-Composer-input", run: "edit Half a sentence" },
        {
            content: "The full composer starts with the choice",
            trigger: "button[title='Open Full Composer']",
            run: "click",
        },
        seeFrom(FULL, SECOND),
        ...chooseFrom(FULL, NOBODY),
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        ...startMessage(),
        { ...seeFrom(CHATTER, NOBODY), content: "It hands the choice back" },
        { trigger: "button[title='Open Full Composer']", run: "click" },
        { ...seeFrom(FULL, NOBODY), content: "No alias is a choice like any other" },
        ...chooseFrom(FULL, SECOND),
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        ...startMessage(),
        seeFrom(CHATTER, SECOND),
        {
            content: "The draft outlives the page, its From included",
            trigger: ".o-mail-Composer-input",
            run: () => location.reload(),
            expectUnloadPage: true,
        },
        { trigger: ".o-mail-Chatter-sendMessage:enabled" },
        ...startMessage(),
        seeFrom(CHATTER, SECOND),
        { trigger: ".o-mail-Composer-send:enabled", run: "click" },
        { trigger: '.o-mail-Message-body:contains("Half a sentence")' },
    ],
});

tours.add("user_email_alias_none", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        { trigger: `${CHATTER}:not(:has(.o_email_alias_from))` },
        { trigger: "button[title='Open Full Composer']", run: "click" },
        { trigger: `${FULL} [name=subject]` },
        { trigger: `${FULL}:not(:has([name=email_alias_id]))` },
        { trigger: ".modal .btn-close", run: "click" },
        ...startMessage(),
        ...sendMessage("As ever"),
    ],
});

tours.add("user_email_alias_unreached", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        seeFrom(CHATTER, "Clara Clerk <clara@a.example.com>"),
        {
            content: "Who stands in To without a contact gets nothing, and it says so",
            trigger: ".o_email_alias_unreached:contains(nobody.yet@example.org)",
        },
        { trigger: ".o-mail-RecipientsInput input", run: "edit typed@example.org" },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Create typed@) a",
            run: "click",
        },
        { trigger: ".o_email_alias_unreached:contains(typed@example.org)" },
        ...sendMessage("To nobody"),
    ],
});

tours.add("user_email_alias_scheduled", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        { trigger: ".o-mail-Composer-input", run: "edit Tomorrow" },
        { trigger: "button[title='Open Full Composer']", run: "click" },
        ...chooseFrom(FULL, SECOND),
        { trigger: ".modal-footer [name=scheduled_date] button", run: "click" },
        {
            trigger: ".modal:contains('Set Scheduled Date') .btn:contains('Save')",
            run: "click",
        },
        { trigger: "button[name=action_schedule_message]", run: "click" },
        { trigger: `.o_email_alias_scheduled:contains("${SECOND}")` },
        { trigger: ".o-mail-Scheduled-Message span:contains('Edit')", run: "click" },
        ...chooseFrom(".modal", WORK),
        { trigger: ".modal footer button:contains('Save')", run: "click" },
        { trigger: `.o_email_alias_scheduled:contains("${WORK}")` },
    ],
});

tours.add("user_email_alias_signature", {
    steps: () => [
        ...openLead("Tour lead"),
        ...startMessage(),
        { trigger: ".o-mail-Composer-input", run: "edit Signed words" },
        { trigger: "button[title='Open Full Composer']", run: "click" },
        { trigger: `${FULL} .note-editable:contains("Alice herself")` },
        ...chooseFrom(FULL, SECOND),
        {
            content: "The signature follows the From",
            trigger: `${FULL} .note-editable:contains("The second desk"):not(:contains("Alice herself"))`,
        },
        { trigger: ".o_mail_send", run: "click" },
        { trigger: '.o-mail-Message-body:contains("Signed words")' },
    ],
});
