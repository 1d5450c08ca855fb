"""The table of every hook this add-on has on code of others, and why it exists."""

import imaplib
import smtplib

from imapclient import IMAPClient
from requests.adapters import HTTPAdapter

# (model, method, parameters of core's method, why we hook it)
MODEL_HOOKS = (
    (
        "fetchmail.server",
        "write",
        "self, vals",
        "Copies that wait for a mailbox are tried again when it is opened or mended.",
    ),
    (
        "base",
        "_message_get_suggested_recipients_batch",
        (
            "self, reply_discussion, reply_message, no_create, primary_email, "
            "additional_partners"
        ),
        "An alias's address is its owner's, who is no recipient of their own.",
    ),
    (
        "base",
        "onchange",
        "self, values, field_names, fields_spec",
        "A form is told no name of somebody else's alias that a default names.",
    ),
    (
        "res.partner",
        "name_create",
        "self, name",
        "No contact is made of an alias's address.",
    ),
    (
        "res.partner",
        "find_or_create",
        "self, email, assert_valid_email",
        "No contact is made of an alias's address.",
    ),
    (
        "res.partner",
        "_find_or_create_from_emails",
        (
            "self, emails, ban_emails, filter_found, additional_values, no_create, "
            "sort_key, sort_reverse"
        ),
        "An alias's address is its owner's, and no contact is made of it.",
    ),
    (
        "mail.thread",
        "_mail_find_partner_from_emails",
        "self, emails, records, force_create, extra_domain",
        "Core looks among what it found for the very address.",
    ),
    (
        "mail.thread",
        "_message_parse_post_process",
        "self, message, message_dict, routes",
        "What comes in from an alias's address goes on by that alias.",
    ),
    (
        "mail.thread",
        "_routing_check_route",
        "self, message, message_dict, route, raise_exception",
        "Whoever may write to an address of Odoo may do so from an alias.",
    ),
    (
        "mail.thread",
        "_notify_get_recipients",
        "self, message, msg_vals, **kwargs",
        "Whom an email reached at an alias is not sent it once more.",
    ),
    (
        "mail.mail",
        "_postprocess_sent_message",
        "self, success_pids, success_emails, failure_reason, failure_type",
        "A message knows what became of its mail when the mail is gone.",
    ),
    (
        "mail.compose.message",
        "_get_blacklist_record_ids",
        "self, mail_values_dict, recipients_info",
        "Who wants no mailings wants none at an alias's address either.",
    ),
    (
        "mail.thread.blacklist",
        "_compute_is_blacklisted",
        "self",
        "Who wants no mailings wants none at an alias's address either.",
    ),
    (
        "crm.lead",
        "_create_customer",
        "self, with_parent",
        "No contact is made of an alias's address.",
    ),
    (
        "crm.lead",
        "_compute_potential_lead_duplicates",
        "self",
        "Leads with the addresses of one person are duplicates, too.",
    ),
    (
        "mail.compose.message",
        "onchange",
        "self, values, field_names, fields_spec",
        "The chatter hands over the alias that was chosen there.",
    ),
    (
        "mail.compose.message",
        "default_get",
        "self, fields",
        "What a person chose is no default for code that runs meanwhile.",
    ),
    (
        "ir.attachment",
        "write",
        "self, vals",
        "A waiting mail keeps the files it was sent off with.",
    ),
    (
        "ir.attachment",
        "unlink",
        "self",
        "A waiting mail keeps the files it was sent off with.",
    ),
    (
        "mail.message",
        "unlink",
        "self",
        "The author's waiting mail is cancelled, anybody else's leaves.",
    ),
    (
        "mail.scheduled.message",
        "post_message",
        "self",
        "Only the owner of the alias sends a message before its time.",
    ),
    (
        "mail.scheduled.message",
        "_post_message",
        "self, raise_exception",
        "What is not as its author scheduled it is set aside, and they are told.",
    ),
    (
        "mail.scheduled.message",
        "unlink",
        "self",
        "Only its author cancels a message for later, and no record takes it along.",
    ),
    (
        "mail.message.schedule",
        "create",
        "self, vals_list",
        "The emails of a message for later wait in our queue, also without its alias.",
    ),
    (
        "mail.message.schedule",
        "write",
        "self, vals",
        "The author puts off the emails with the inboxes.",
    ),
    (
        "mail.message.schedule",
        "_send_notifications",
        "self, default_notify_kwargs",
        "At its time a message for later reaches inboxes; its emails wait elsewhere.",
    ),
    (
        "mail.thread",
        "_notify_thread",
        "self, message, msg_vals, **kwargs",
        "The emails of a message for later are made when it is written.",
    ),
    (
        "mail.thread",
        "_notify_thread_by_email",
        (
            "self, message, recipients_data, *, msg_vals, mail_auto_delete, "
            "model_description, force_email_company, force_email_lang, "
            "force_record_name, subtitles, force_send, send_after_commit, **kwargs"
        ),
        "They are not made once more at its time.",
    ),
    (
        "mailing.mailing",
        "_get_recipients_domain",
        "self",
        "Whoever came after the owner put a mailing in the queue is not written to.",
    ),
    (
        "mailing.mailing",
        "_get_recipients",
        "self",
        "Nor is an address that was changed since then.",
    ),
    (
        "link.tracker",
        "write",
        "self, vals",
        "Only the owner says where the links of a mailing lead.",
    ),
    (
        "link.tracker",
        "unlink",
        "self",
        "Only the owner says where the links of a mailing lead.",
    ),
    (
        "link.tracker.code",
        "write",
        "self, vals",
        "Only the owner says where the links of a mailing lead.",
    ),
    (
        "link.tracker.code",
        "unlink",
        "self",
        "Only the owner says where the links of a mailing lead.",
    ),
    (
        "mailing.trace",
        "create",
        "self, vals_list",
        "Only the owner says who has been written to.",
    ),
    (
        "mailing.trace",
        "write",
        "self, vals",
        "Only the owner says who has been written to.",
    ),
    (
        "mailing.trace",
        "unlink",
        "self",
        "Whoever has no trace is written to again.",
    ),
    (
        "res.partner",
        "write",
        "self, vals",
        "Waiting mail leaves to the address it was sent off to.",
    ),
    (
        "res.partner",
        "unlink",
        "self",
        "Waiting mail leaves to the address it was sent off to.",
    ),
    (
        "base.partner.merge.automatic.wizard",
        "_update_foreign_keys",
        "self, src_partners, dst_partner",
        "Waiting mail leaves to the address it was sent off to.",
    ),
    (
        "ir.config_parameter",
        "create",
        "self, vals_list",
        "Aliases that waited for a provider's settings go on when these are filled in.",
    ),
    (
        "ir.config_parameter",
        "write",
        "self, vals",
        "Aliases follow the settings they depend on.",
    ),
    (
        "ir.config_parameter",
        "unlink",
        "self",
        "Without the parameter its default holds again.",
    ),
    (
        "ir.http",
        "session_info",
        "self",
        "The page knows the user's aliases, and shows what a sign-in came to.",
    ),
    (
        "ir.mail_server",
        "_build_email__",
        (
            "self, email_from, email_to, subject, body, email_cc, email_bcc, reply_to, "
            "attachments, message_id, references, object_id, subtype, headers, "
            "body_alternative, subtype_alternative"
        ),
        "Attachments are encoded once for a lane, and typed line breaks are harmless.",
    ),
    (
        "ir.mail_server",
        "_get_max_email_size",
        "self",
        "Attachments beyond what the alias's own server takes become links.",
    ),
    (
        "ir.mail_server",
        "_prepare_smtp_to_list",
        "self, message, smtp_session",
        "A recipient whose domain has letters beyond ASCII is not lost.",
    ),
    (
        "ir.module.module",
        "_button_immediate_function",
        "self, function",
        "A campaign does not keep modules from being installed or upgraded.",
    ),
    (
        "user.email.alias.dialogue",
        "onchange",
        "self, values, field_names, fields_spec",
        "A person who opens a dialogue is proposed an alias; code is not.",
    ),
    (
        "user.email.alias.dialogue",
        "write",
        "self, vals",
        "No alias is picked in a dialogue that somebody else has changed.",
    ),
    (
        "calendar.event",
        "create",
        "self, vals_list",
        "What was picked for a series is kept when a change makes its events anew.",
    ),
    (
        "calendar.event",
        "copy_data",
        "self, default",
        "A duplicate keeps the alias, and its invitations leave by it.",
    ),
    (
        "calendar.event",
        "default_get",
        "self, fields",
        "Nobody picks an alias for somebody else.",
    ),
    (
        "calendar.event",
        "onchange",
        "self, values, field_names, fields_spec",
        "A person who plans an event is proposed an alias; code is not.",
    ),
    (
        "calendar.attendee",
        "_notify_attendees",
        "self, mail_template, notify_author, force_send",
        "Invitations and changes leave by the alias of whoever makes them.",
    ),
    (
        "calendar.popover.delete.wizard",
        "action_send_mail_and_delete",
        "self",
        "A cancellation leaves by the alias picked, though its event is deleted.",
    ),
    (
        "ir.actions.server",
        "run",
        "self",
        "What code does by itself takes no part in what a person has picked.",
    ),
    (
        "mail.activity.mixin",
        "activity_send_mail",
        "self, template_id",
        "What is sent to a column of activities keeps the pace of bulk mail.",
    ),
    (
        "mail.followers.edit",
        "edit_followers",
        "self",
        "The message to new followers leaves by the alias picked.",
    ),
    (
        "mail.followers.edit",
        "_prepare_message_values",
        "self, documents, model_name",
        "Answers to it go to the alias.",
    ),
    (
        "mail.thread",
        "_message_auto_subscribe_notify",
        "self, partner_ids, template",
        "Being assigned is told as ever, whatever a person has picked.",
    ),
    (
        "mail.thread",
        "_message_track_post_template",
        "self, changes",
        "What a change of stage sends leaves as ever, whatever a person has picked.",
    ),
    (
        "mailing.mailing",
        "onchange",
        "self, values, field_names, fields_spec",
        "A person who opens the form is proposed an alias; code is not.",
    ),
    (
        "mail.compose.message",
        "_compute_authorship",
        "self",
        "The composer shows the alias as From and its owner as author.",
    ),
    (
        "mail.compose.message",
        "_render_field",
        "self, field, res_ids, *args, **kwargs",
        "The From of an alias is text and never rendered as a template.",
    ),
    (
        "mail.compose.message",
        "_prepare_mail_values",
        "self, res_ids",
        "Every mail of the composer leaves by its alias.",
    ),
    (
        "mail.compose.message",
        "_action_send_mail_comment",
        "self, res_ids",
        "One message on each of many records keeps the pace of bulk mail.",
    ),
    (
        "mail.compose.message",
        "_prepare_mailing_values",
        "self",
        "A mailing made of the composer leaves by the same alias.",
    ),
    (
        "mail.mail",
        "create",
        "self, vals_list",
        "Only the owner sends with an alias, and its mail enters our queue.",
    ),
    (
        "mail.mail",
        "write",
        "self, vals",
        "A mail keeps its alias, and only the owner changes what it says.",
    ),
    (
        "mail.mail",
        "send",
        "self, auto_commit, raise_exception, post_send_callback",
        "Mail with an alias waits for its lane and leaves by no other server.",
    ),
    (
        "mail.mail",
        "process_email_queue",
        "self, email_ids, batch_size",
        "Core's queue does not pick mail with an alias.",
    ),
    (
        "mail.mail",
        "_send",
        (
            "self, auto_commit, raise_exception, smtp_session, alias_domain_id, "
            "mail_server, post_send_callback"
        ),
        "The last gate: no mail with an alias leaves past its lane.",
    ),
    (
        "mail.mail",
        "_prepare_outgoing_list",
        "self, mail_server, doc_to_followers",
        "A partner's name that looks like an encoded word is read as it was typed.",
    ),
    (
        "mail.mail",
        "unlink",
        "self",
        "A lane deletes what it sent many at a time.",
    ),
    (
        "mail.message",
        "create",
        "self, vals_list",
        "Only the owner writes with an alias, and the alias decides the From.",
    ),
    (
        "mail.message",
        "write",
        "self, vals",
        "Nobody puts other words or recipients below somebody's alias.",
    ),
    (
        "mail.message",
        "_to_store",
        ("self, store, fields, *, format_reply, msg_vals, add_followers, followers"),
        "The chatter shows what became of a message.",
    ),
    (
        "mail.message",
        "_message_notifications_to_store",
        "self, store",
        "The chatter follows when that changes.",
    ),
    (
        "mail.notification",
        "write",
        "self, vals",
        "Building a mail writes nothing, so what is written then is a neighbour's.",
    ),
    (
        "mail.scheduled.message",
        "create",
        "self, vals_list",
        "The alias named for later is one's own already now.",
    ),
    (
        "mail.scheduled.message",
        "write",
        "self, vals",
        "The alias named for later is one's own already now.",
    ),
    (
        "mail.scheduled.message",
        "_notification_parameters_whitelist",
        "self",
        "The alias chosen in the composer is remembered until the date.",
    ),
    (
        "mail.scheduled.message",
        "_to_store_defaults",
        "self, target",
        "The chatter shows whom a scheduled message will be from.",
    ),
    (
        "mail.thread",
        "message_post",
        (
            "self, *, body, subject, message_type, email_from, author_id, "
            "parent_id, subtype_xmlid, subtype_id, partner_ids, "
            "outgoing_email_to, incoming_email_to, incoming_email_cc, "
            "attachments, attachment_ids, body_is_html, **kwargs"
        ),
        "A message written with an alias has its From and its Reply-To.",
    ),
    (
        "mail.thread",
        "message_notify",
        (
            "self, *, body, subject, author_id, email_from, model, res_id, "
            "subtype_xmlid, subtype_id, partner_ids, attachments, "
            "attachment_ids, **kwargs"
        ),
        "The same for what has no thread.",
    ),
    (
        "mail.thread",
        "_get_message_create_valid_field_names",
        "self",
        "A message may name the alias it is written with.",
    ),
    (
        "mail.thread",
        "_notify_by_email_get_base_mail_values",
        "self, message, recipients_data, additional_values",
        "Notifications of a message leave by the message's alias.",
    ),
    (
        "mail.thread",
        "_notify_by_email_prepare_rendering_context",
        (
            "self, message, msg_vals, model_description, force_email_company, "
            "force_email_lang, force_record_name"
        ),
        "The alias's own signature stands below the message.",
    ),
    (
        "mail.thread",
        "_thread_to_store",
        "self, store, fields, *, request_list",
        "The composer proposes the alias that fits the conversation.",
    ),
    (
        "mailing.mailing",
        "_compute_email_from",
        "self",
        "A mailing with an alias has the alias as From.",
    ),
    (
        "mailing.mailing",
        "create",
        "self, vals_list",
        "Only the owner makes a mailing with an alias.",
    ),
    (
        "mailing.mailing",
        "write",
        "self, vals",
        "Only the owner sets a mailing with an alias off or changes it on its way.",
    ),
    (
        "mailing.mailing",
        "action_send_winner_mailing",
        "self",
        "Only the owner picks the winner of a test that leaves by an alias.",
    ),
    (
        "mailing.mailing",
        "action_retry_failed",
        "self",
        "What is sent once more is what was sent.",
    ),
    (
        "mailing.mailing",
        "action_select_as_winner",
        "self",
        "The winner that the job sends is what the owner agreed to.",
    ),
    (
        "mailing.mailing",
        "copy_data",
        "self, default",
        "A copy keeps the alias for its owner only.",
    ),
    (
        "mailing.mailing",
        "_action_send_mail",
        "self, res_ids",
        "Only the owner sends; the job gives back what it may not send.",
    ),
    (
        "res.users",
        "SELF_READABLE_FIELDS",
        "self",
        "Everybody sees in their preferences how many aliases they have.",
    ),
    (
        "res.users",
        "unlink",
        "self",
        "Aliases go with their user, unless mail still waits in them.",
    ),
)

# Those that core offers to other apps without using them in `mail` or `base` itself.
OFFERED_TO_APPS = (
    ("mail.thread", "_mail_find_partner_from_emails"),
    ("res.partner", "find_or_create"),
)

# (core class, method, parameters of core's method, why we hook it)
CONTROLLER_HOOKS = (
    (
        "odoo.addons.mail.controllers.thread.ThreadController",
        "_prepare_message_data",
        "self, post_data, *, thread, **kwargs",
        "What a user posts in the chatter leaves by the alias they chose.",
    ),
)

# (class of a library, method, parameters of the library's method, why we replace it)
LIBRARY_HOOKS = (
    (
        imaplib.IMAP4,
        "open",
        "self, host, port, timeout",
        "The socket was opened and judged by the address guard before.",
    ),
    (
        imaplib.IMAP4,
        "_log",
        "self, line",
        "The last commands, passwords included, are not kept.",
    ),
    (
        imaplib.IMAP4,
        "_new_tag",
        "self",
        "Each command has a size of its own, and what nobody took is forgotten.",
    ),
    (
        imaplib.IMAP4,
        "readline",
        "self",
        "A line has an end, in bytes and in seconds.",
    ),
    (
        imaplib.IMAP4,
        "read",
        "self, size",
        "A literal has an end, in bytes and in seconds.",
    ),
    (
        imaplib.IMAP4,
        "send",
        "self, data",
        "A server that takes nothing does not hold a lane for ever.",
    ),
    (
        imaplib.IMAP4,
        "starttls",
        "self, ssl_context",
        "The certificate is verified, and nothing said in the clear is believed.",
    ),
    (
        imaplib.IMAP4,
        "_command_complete",
        "self, name, tag",
        "A BAD is told from the other errors, and no word repeats a secret.",
    ),
    (
        imaplib.IMAP4,
        "_command",
        "self, name, *args",
        "No word of the server repeats a secret.",
    ),
    (
        imaplib.IMAP4,
        "shutdown",
        "self",
        "There is no file object to close, as we read the socket ourselves.",
    ),
    (
        IMAPClient,
        "_create_IMAP4",
        "self",
        "The client speaks through our guarded connection.",
    ),
    (
        IMAPClient,
        "_check_resp",
        "self, expected, command, typ, data",
        "A refusal keeps the server's own words.",
    ),
    (
        IMAPClient,
        "_normalise_folder",
        "self, folder_name",
        "A path is refused if it would end the command; it may be UTF-8.",
    ),
    (
        smtplib.SMTP,
        "send",
        "self, s",
        "What is sent has a deadline that received bytes do not move.",
    ),
    (
        smtplib.SMTP,
        "getreply",
        "self",
        "A reply has an end, in bytes and in seconds.",
    ),
    (
        HTTPAdapter,
        "send",
        "self, request, stream, timeout, verify, cert, proxies",
        "Time-out, trust and size of a provider's answer are ours to decide.",
    ),
    (
        HTTPAdapter,
        "init_poolmanager",
        "self, connections, maxsize, block, **pool_kwargs",
        "A conversation with a provider has an end, however slowly it speaks.",
    ),
    (
        HTTPAdapter,
        "proxy_manager_for",
        "self, proxy, **proxy_kwargs",
        "It has one through a proxy as well.",
    ),
)

# (class of a library, its private or undocumented attribute, what we use it for)
LIBRARY_ATTRIBUTES = (
    (imaplib.IMAP4, "_simple_command", "runs a command and returns its tagged reply"),
    (imaplib.IMAP4, "_get_response", "reads on until the server lets us send a mail"),
    (imaplib.IMAP4, "_check_bye", "notices that the server hangs up meanwhile"),
    (imaplib.IMAP4, "_tls_established", "keeps STARTTLS from being asked for twice"),
    (imaplib.IMAP4, "tagged_commands", "tells whether APPEND has been answered"),
    (imaplib.IMAP4, "untagged_responses", "holds what a command's answer consists of"),
    (imaplib.IMAP4, "debug", "stays 0, or the library logs passwords and mails"),
    (IMAPClient, "_imap", "is the guarded connection below the client"),
    (smtplib.SMTP, "_host", "is the name the certificate has to show"),
    (smtplib.SMTP, "command_encoding", "encodes what we put on the socket ourselves"),
)

# (module, text its source must hold, what of ours depends on it)
WORDS_OF_CORE = (
    (
        "odoo.addons.base.models.ir_cron",
        "ir_cron_progress_id",
        "The queue's run tells core by this context key that it works.",
    ),
    (
        "odoo.addons.base.models.ir_cron",
        "timed_out_counter",
        "Core drops a job's triggers when this has grown, so the run resets it.",
    ),
    (
        "odoo.addons.base.models.ir_mail_server",
        "send_validated_to",
        "Recipients with a domain beyond ASCII are lost without this context key.",
    ),
    (
        "odoo.addons.base.models.ir_mail_server",
        "getattr(smtp_session, 'from_filter'",
        "The alias's address is the only envelope sender core may use.",
    ),
    (
        "odoo.addons.base.models.ir_mail_server",
        "getattr(smtp_session, 'smtp_from'",
        "Else core puts its own notification address in the From.",
    ),
    (
        "odoo.addons.base.models.ir_mail_server",
        ".send_message(message, smtp_from, smtp_to_list)",
        "Here the built message is taken out, before core believes it sent.",
    ),
    (
        "odoo.addons.mail.models.mail_mail",
        "self.env.context['filters']",
        "Core's queue leaves mail with an alias alone by this context key.",
    ),
    (
        "odoo.addons.mail.models.mail_thread",
        "suggestedRecipients",
        "When the composer asks for recipients it gets the alias as well.",
    ),
    (
        "odoo.addons.mail.models.mail_thread",
        "'email_add_signature': email_add_signature",
        "An alias's signature appears where core would put the user's.",
    ),
    (
        "odoo.addons.mail.models.mail_thread",
        "'signature': signature",
        "An alias's signature appears where core would put the user's.",
    ),
    (
        "odoo.addons.mail.models.mail_message",
        "message_format",
        "By this name a whole message is asked for, and its outcome added.",
    ),
    (
        "odoo.addons.mail.controllers.thread",
        "from_create=True",
        "Only a new message gets an alias, an edited one does not.",
    ),
    (
        "odoo.addons.mass_mailing.wizard.mailing_mailing_test",
        "mailing_test_mail",
        "The test of a mailing is submitted at once by this context key.",
    ),
    (
        "odoo.service.model",
        '"call %s.%s(%s)"',
        "What follows the bracket is withheld when a password is in it.",
    ),
    (
        "werkzeug._internal",
        'getLogger("werkzeug")',
        "The access log is withheld the provider's code by this name.",
    ),
)

# (our file, core's file that defines the members, the members that call ``super``)
SCRIPT_HOOKS = (
    (
        "calendar/quick_create_patch.js",
        "calendar/static/src/views/calendar_form/calendar_quick_create.js",
        ("goToFullEvent",),
    ),
    (
        "activity/activity_mail_template_patch.js",
        "mail/static/src/core/web/activity_mail_template.js",
        ("onClickSend", "setup"),
    ),
    (
        "activity_view/activity_controller_patch.js",
        "mail/static/src/views/web/activity/activity_controller.js",
        ("sendMailTemplate", "setup"),
    ),
    (
        "alias/alias_form.js",
        "web/static/src/views/form/form_controller.js",
        (
            "beforeExecuteActionButton",
            "beforeUnload",
            "onSaveError",
            "onWillSaveRecord",
        ),
    ),
    (
        "alias/setup_form.js",
        "web/static/src/views/form/form_controller.js",
        ("setup",),
    ),
    (
        "chatter/chatter_patch.js",
        "mail/static/src/chatter/web_portal/chatter.js",
        ("setup",),
    ),
    (
        "chatter/composer_body_patch.js",
        (
            "mail/static/src/views/web/fields/html_composer_message_field/"
            "html_composer_message_field.js"
        ),
        ("setup",),
    ),
    (
        "chatter/composer_model_patch.js",
        "mail/static/src/core/common/composer_model.js",
        ("clear",),
    ),
    ("chatter/composer_model_patch.js", "mail/static/src/model/record.js", ("setup",)),
    (
        "chatter/composer_patch.js",
        "mail/static/src/core/common/composer.js",
        (
            "_sendMessage",
            "formatDefaultBodyForFullComposer",
            "get fullComposerAdditionalContext",
            "get postData",
            "onClickFullComposer",
            "restoreContent",
            "saveContent",
            "setup",
        ),
    ),
    ("chatter/message_model_patch.js", "mail/static/src/model/record.js", ("setup",)),
    (
        "chatter/store_service_patch.js",
        "mail/static/src/core/common/store_service.js",
        ("getMessagePostParams",),
    ),
    ("chatter/thread_model_patch.js", "mail/static/src/model/record.js", ("setup",)),
    (
        "notice/failure_model_patch.js",
        "mail/static/src/core/common/failure_model.js",
        ("get body",),
    ),
    (
        "notice/messaging_menu_patch.js",
        "mail/static/src/core/public_web/messaging_menu.js",
        ("setup",),
    ),
    (
        "notice/messaging_menu_patch.js",
        "mail/static/src/core/web/messaging_menu_patch.js",
        ("get counter", "get hasPreviews"),
    ),
    (
        "notice/notification_model_patch.js",
        "mail/static/src/core/common/notification_model.js",
        ("get failureMessage",),
    ),
    (
        "notice/user_menu_patch.js",
        "web/static/src/webclient/user_menu/user_menu.js",
        ("setup",),
    ),
)
