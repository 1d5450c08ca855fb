import { tours } from "@user_email_alias/../tests/tours/patient_tours";

/** Press the button on a new, still empty alias; the provider's page comes up. */
function signIn(provider) {
    return [
        { trigger: ".o_kanban_view .o-kanban-button-new", run: "click" },
        { trigger: ".modal button[name=action_by_hand]", run: "click" },
        {
            content: "Nothing is filled in",
            trigger: ".o_field_widget[name=email_from] input:value()",
        },
        {
            content: "Leave for the provider; the person clicks on its page",
            trigger: `button[name=action_sign_in]:contains("${provider}")`,
            run: "click",
            expectUnloadPage: true,
        },
    ];
}

for (const provider of ["Google", "Microsoft"]) {
    tours.add(`user_email_alias_sign_in_${provider.toLowerCase()}`, {
        steps: () => [
            ...signIn(provider),
            { trigger: '.o_notification:contains("Status: OK")' },
            { trigger: '.alert-success:contains("Status: OK")' },
            {
                content: "From Address, Alias Name and Description came along",
                trigger: ".o_field_widget[name=email_from] input:value(anna@example.com)",
            },
            { trigger: ".o_field_widget[name=alias_name] input:value(Anna Berg)" },
            { trigger: ".o_field_widget[name=name] input:value(anna@example.com)" },
            { trigger: '[name=sign_in]:contains("Signed in as anna@example.com")' },
            {
                content: "No mail server and no password is asked for",
                trigger: ".o_form_view:not(:has([name=smtp_server], [name=imap_password]))",
            },
            { trigger: ".o_form_button_save:not(:visible)" },
        ],
    });
}

tours.add("user_email_alias_sign_in_cancelled", {
    steps: () => [
        ...signIn("Google"),
        { trigger: '.o_notification:contains("The sign-in was cancelled")' },
        {
            content: "Back on the cards, the empty alias is gone",
            trigger: ".o_kanban_view, .o_view_nocontent",
        },
    ],
});
