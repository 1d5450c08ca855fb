import { tours } from "@user_email_alias/../tests/tours/patient_tours";

/** How light a colour is before a background (WCAG 2.2, relative luminance). */
function getLuminance(color, background) {
    const [channels, behind] = [color, background].map((text) =>
        text.match(/[\d.]+/g).map(Number)
    );
    const opacity = channels[3] ?? 1;
    const [r, g, b] = [0, 1, 2]
        .map((i) => (opacity * channels[i] + (1 - opacity) * behind[i]) / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function checkContrast({ anchor }) {
    const paper = getComputedStyle(anchor.closest(".modal-content")).backgroundColor;
    const ink = getLuminance(getComputedStyle(anchor).color, paper);
    const contrast = (getLuminance(paper, paper) + 0.05) / (ink + 0.05);
    if (contrast < 4.5) {
        throw new Error(`A contrast of ${contrast.toFixed(2)}: ${anchor.textContent}`);
    }
}

/** New, an address, Continue. */
function enter(email) {
    return [
        { trigger: ".o-kanban-button-new", run: "click" },
        {
            content: "One thing is asked for",
            trigger: ".modal:has([name=email] input):not(:has([name=smtp_password]))",
        },
        { trigger: ".modal p.text-muted", run: checkContrast },
        { trigger: ".modal [name=email] input", run: `edit ${email}` },
        {
            content: "Enter does what the first button does",
            trigger: ".modal [name=email] input",
            run: "press Enter",
        },
    ];
}

/** What was found, a wrong and a right password, and the alias is done. */
function prove(email, { found, server, extra = [] }) {
    return [
        ...enter(email),
        { trigger: `.modal [name=found]:contains("${found}")` },
        { trigger: `.modal [name=smtp_server]:contains("${server}")` },
        ...extra,
        {
            content: "The password can be typed at once",
            trigger: ".modal [name=smtp_password] input:focus",
            run: "edit wrong",
        },
        { trigger: ".modal button[name=action_test_connection]", run: "click" },
        {
            content: "A refused password is told in the server's own words",
            trigger: '.modal .alert-danger:contains("535 5.7.8")',
        },
        { trigger: ".modal [name=smtp_password] input:value()", run: "edit secret" },
        { trigger: ".modal [name=smtp_password] input", run: "press Enter" },
        { trigger: '.o_notification:contains("Status: OK")' },
        {
            content: "The full form shows what was filled in",
            trigger: `body:not(:has(.modal)) .o_form_view .o_field_widget[name=email_from] input:value(${email})`,
        },
        { trigger: `.o_field_widget[name=name] input:value(${email})` },
        { trigger: '.alert-success:contains("Status: OK")' },
    ];
}

/** The button of a provider and nothing else; its page comes up. */
function signIn(provider) {
    return [
        ...enter("anna@example.com"),
        { trigger: `.modal [name=found]:contains("example.com goes to ${provider}")` },
        { content: "No password", trigger: ".modal:not(:has([name=smtp_password]))" },
        {
            trigger: `.modal button[name=action_sign_in]:contains("${provider}")`,
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: '.o_notification:contains("Status: OK")' },
        { trigger: ".o_field_widget[name=email_from] input:value(anna@example.com)" },
        { trigger: ".o_field_widget[name=name] input:value(anna@example.com)" },
        { trigger: '[name=sign_in]:contains("Signed in as anna@example.com")' },
    ];
}

for (const provider of ["Google", "Microsoft"]) {
    tours.add(`user_email_alias_setup_${provider.toLowerCase()}`, {
        steps: () => signIn(provider),
    });
}

tours.add("user_email_alias_setup_table", {
    steps: () =>
        prove("alice@table.example", {
            found: "is in Odoo's list of providers: Our hoster",
            server: "localhost",
            extra: [
                {
                    trigger: '.modal [name=note]:contains("Switch on SMTP first")',
                },
                {
                    trigger:
                        '.modal [name=app_password_url] a[href="https://hoster.example/app"]',
                },
            ],
        }),
});

tours.add("user_email_alias_setup_cancelled", {
    steps: () => [
        ...enter("alice@table.example"),
        { trigger: ".modal [name=smtp_password] input:focus", run: "edit wrong" },
        { trigger: ".modal button[name=action_test_connection]", run: "click" },
        { trigger: '.modal .alert-danger:contains("535 5.7.8")' },
        { trigger: ".modal button[name=action_cancel]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_kanban_view .o_view_nocontent" },
    ],
});

tours.add("user_email_alias_setup_srv", {
    steps: () =>
        prove("alice@srv.example", {
            found: "srv.example names its mail servers in the DNS",
            server: "localhost",
        }),
});

tours.add("user_email_alias_setup_autoconfig", {
    steps: () =>
        prove("alice@corp.example", {
            found: "publishes its mail servers at https://autoconfig.corp.example",
            server: "localhost",
        }),
});

tours.add("user_email_alias_setup_nothing", {
    steps: () => [
        ...enter("not an address"),
        { trigger: '.modal .alert-danger:contains("There is no @ in it")' },
        { trigger: ".modal [name=email] input", run: "edit alice@nothing.example" },
        { trigger: ".modal button[name=action_continue]", run: "click" },
        { trigger: '.o_notification:contains("Nothing is known of the mail server of")' },
        {
            content: "The full form, with what is known",
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=email_from] input:value(alice@nothing.example)",
        },
        { trigger: ".o_field_widget[name=smtp_server] input:value()" },
        { trigger: ".o_field_widget[name=name] input:value(alice@nothing.example)" },
        {
            content: "Nothing was saved",
            trigger: ".breadcrumb .o_form_button_cancel, .o_form_button_cancel",
            run: "click",
        },
    ],
});
