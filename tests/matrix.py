"""Who may do what: the expectations of test_matrix.py.

A letter for each kind of user, asked about records that belong to the owner:

O  the owner, who writes mailings and to all leads
C  a colleague with the same rights
M  a colleague with Email Marketing only
A  an administrator of Access Rights
S  an administrator of Settings, who is one of Access Rights, too
P  a portal user
V  a visitor, who has not signed in
"""

# model -> who reads / who writes -> fields
MODELS = {
    "calendar.event": {
        "/": "email_alias_kept_ids",
        # each user sees their own choice, or none
        "OCMAS/": "has_email_alias",
        "OCMAS/O": "email_alias_id",
    },
    "calendar.popover.delete.wizard": {
        "O/": "has_email_alias",
        "O/O": "email_alias_id",
    },
    "fetchmail.server": {
        "S/S": "email_alias_user_ids",
    },
    "mail.compose.message": {
        "O/": "has_email_alias",
        "O/O": "email_alias_id",
    },
    "mail.followers.edit": {
        "O/": "has_email_alias",
        "O/O": "email_alias_id",
    },
    "mail.mail": {
        "/": "email_alias_steps",
        "S/": """
            email_alias_bulk email_alias_due email_alias_id
            email_alias_is_paused email_alias_message_id email_alias_pending
        """,
        "S/S": "failure_type",
    },
    "mail.message": {
        "/": "email_alias_steps",
        "OC/O": "email_alias_id",
    },
    "mail.message.schedule": {
        "S/": "email_alias_is_queued",
    },
    "mail.notification": {
        "OCMAS/": "failure_type",
    },
    "mail.scheduled.message": {
        "/": "email_alias_seal",
        "OC/": "has_email_alias",
        # whatever is written about the failure, the server empties it
        "OC/O": "email_alias_failure email_alias_id",
    },
    "mailing.mailing": {
        "/": "email_alias_counted email_alias_seal",
        "OCMS/": """
            email_alias_forecast email_alias_is_notified
            email_alias_is_paused email_alias_progress email_alias_waiting
            has_email_alias
        """,
        "OCMS/O": "email_alias_id",
    },
    "mailing.trace": {
        "OCM/O": "failure_type",
    },
    "res.config.settings": {
        "S/": """
            email_alias_google_has_organisation_key
            email_alias_google_has_secret email_alias_google_missing
            email_alias_google_organisation_missing
            email_alias_google_redirect_uri email_alias_keys
            email_alias_microsoft_consent_url
            email_alias_microsoft_has_secret email_alias_microsoft_missing
            email_alias_microsoft_organisation_missing
            email_alias_microsoft_redirect_uri
        """,
        "S/S": """
            email_alias_allowed_targets email_alias_central_database
            email_alias_google_client_id
            email_alias_google_client_secret email_alias_google_organisation
            email_alias_google_organisation_key email_alias_google_transport
            email_alias_has_own_imap email_alias_microsoft_client_id
            email_alias_microsoft_client_secret
            email_alias_microsoft_large_attachments
            email_alias_microsoft_organisation
            email_alias_microsoft_secret_ends email_alias_microsoft_tenant
            email_alias_microsoft_transport
        """,
    },
    "res.partner": {
        "OCMAS/": "email_alias_owner_id",
    },
    "res.users": {
        "OCMAS/": "email_alias_count email_alias_owner_id",
        "OCMAS/AS": "email_alias_ids",
    },
    "user.email.alias": {
        "/": """
            imap_secret key oauth_identity oauth_pending_secret oauth_secret
            smtp_secret
        """,
        "OAS/": """
            backoff_count backoff_is_quota backoff_until can_decide_on_copy can_drop
            claimed_at connection_mails connection_mails_at domain_advice
            domain_checked domain_checked_at domain_findings has_google
            has_imap_password has_microsoft has_own_imap has_sent_copies
            has_smtp_password has_smtp_road hold_reason imap_folder is_by_organisation
            is_default_wanted is_in_copy is_mine is_own_imap is_paused is_shared_from
            is_signed_in large_attachments max_bytes oauth_addresses oauth_mailbox
            oauth_pending_user oauth_permissions
            oauth_refreshed_at oauth_server oauth_smtp_server oauth_tried_at
            oauth_user pause_ms
            pause_reason provider
            released_at self_filing sent_copy_error sent_copy_failed_count
            sent_copy_waiting_count sent_today_count state state_at
            state_message test_checklist test_copies_proposal test_mail transport
            uncertain_count user_id waiting_count
            waiting_forecast waiting_reason
        """,
        "AS/": "has_organisation",
        "AS/AS": "organisation organisation_mailbox",
        "OAS/OAS": """
            active alias_name daily_limit delay_ms disable_tls email_from
            files_copies
            imap_folder_name imap_mailbox_id imap_password imap_server
            imap_server_id imap_user is_default name reply_to signature
            skip_bulk_copies smtp_password smtp_server smtp_user
        """,
    },
    "user.email.alias.attempt": {
        "/": "attempted_at user",
    },
    "user.email.alias.cancel": {
        "O/": "count",
        "O/O": "alias_id mailing_id",
    },
    "user.email.alias.event": {
        "OAS/": """
            action alias_id alias_number details field_names owner_id user_id
        """,
    },
    "user.email.alias.folder": {
        "O/O": "alias_id is_cut line_id line_ids name",
    },
    "user.email.alias.folder.line": {
        "O/O": "folder name wizard_id",
    },
    "user.email.alias.log": {
        "/": "draft is_draft_sent sent_copy",
        "OAS/": """
            alias_id claimed_at email_from is_bulk is_put_back
            is_sent_copy_told load mail_mail_id mail_message_id message_id model
            outcome recipients refused_recipients replied_at replied_on
            reply res_id rest_ms scope sent_copy_attempts sent_copy_due
            sent_copy_error sent_copy_first_at sent_copy_state signature
            subject user_id
        """,
    },
    "user.email.alias.mailbox": {
        "/": "user_ids",
        "O/": "name",
    },
    "user.email.alias.provider": {
        "AS/AS": """
            active app_password_url daily_limit delay_ms domains imap_server
            imap_user_pattern is_shipped limit_date limit_source mx_domains name
            note refusal smtp_server user_pattern
        """,
    },
    "user.email.alias.setup": {
        "O/O": """
            alias_id app_password_url daily_limit delay_ms email found
            imap_server imap_user limit_source message missing_sign_in note
            refusal sign_in smtp_password smtp_server smtp_user step
        """,
    },
    "user.email.alias.waiting": {
        "OAS/": """
            alias_id due_at failure_reason is_bulk is_paused mail_message_id
            mailing_id next_at recipients state subject user_id why
        """,
    },
}

# model -> who gets past the rights -> public methods
METHODS = {
    "calendar.popover.delete.wizard": {
        "O": "action_send_mail_and_delete",
    },
    "crm.lead": {
        "OC": "activity_send_mail",
    },
    "ir.actions.server": {
        "OC": "run",
        "S": "activity_send_mail",
    },
    "ir.cron": {
        "S": "activity_send_mail",
    },
    "mail.followers.edit": {
        "O": "edit_followers",
    },
    "mail.mail": {
        "S": "process_email_queue send",
    },
    "mail.message": {
        "O": """
            action_email_alias_mark_sent action_email_alias_send_again
            action_email_alias_take_back
        """,
    },
    "mail.scheduled.message": {
        "O": "post_message",
    },
    "mailing.mailing": {
        "O": """
            action_email_alias_cancel action_email_alias_pause
            action_email_alias_resume action_retry_failed
            action_select_as_winner action_send_winner_mailing
        """,
        "OCMS": """
            action_email_alias_why activity_send_mail email_alias_read_progress
            email_alias_read_why
        """,
    },
    "res.config.settings": {
        "S": """
            action_email_alias_check_organisation
            action_email_alias_forget_organisation_key
            action_email_alias_forget_secret action_email_alias_reencrypt
        """,
    },
    "res.partner": {
        # who may write contacts; an administrator of Access Rights alone may not
        "OCS": """
            action_email_alias_merge activity_send_mail find_or_create
            name_create
        """,
    },
    "res.users": {
        "OCMAS": "action_open_email_aliases",
    },
    "user.email.alias": {
        "O": """
            action_apply_copies action_cancel_waiting action_check_domain
            action_choose_folder action_disconnect
            action_drop_stale action_keep_account action_look_for_test_mail
            action_pause action_resume action_send_stale action_sign_in
            action_test_connection action_test_mail action_unpause
            action_use_other_account look_for_test_mail send_test_mail
        """,
        "S": "action_copy_drop action_copy_send",
        "AS": "action_renew_organisation",
        "OAS": """
            action_make_default action_view_events action_view_log
            action_view_uncertain action_view_waiting action_why read_why
        """,
        "OCMAS": "action_open_mine",
    },
    "user.email.alias.cancel": {
        "O": "action_cancel_mails",
    },
    "user.email.alias.folder": {
        "O": "action_apply",
    },
    "user.email.alias.log": {
        "O": "action_mark_sent action_retry_copy action_send_again",
        "OAS": "action_open_document",
    },
    "user.email.alias.setup": {
        "O": """
            action_back action_by_hand action_cancel action_continue action_sign_in
            action_test_connection
        """,
    },
    "user.email.alias.waiting": {
        "O": "action_cancel action_retry",
        "OAS": "action_why read_why",
    },
}

# our model -> who makes a record / who deletes the owner's
PLAIN = {
    "user.email.alias": "OCMAS/OAS",
    "user.email.alias.attempt": "/",
    "user.email.alias.cancel": "OCMAS/",
    "user.email.alias.event": "/",
    "user.email.alias.folder": "OCMAS/",
    "user.email.alias.folder.line": "OCMAS/",
    "user.email.alias.log": "/",
    "user.email.alias.mailbox": "/",
    "user.email.alias.provider": "AS/AS",
    "user.email.alias.setup": "OCMAS/",
    "user.email.alias.waiting": "/",
}

# route -> who gets an answer; the others are sent to sign in
ROUTES = {
    "/user_email_alias/oauth/<string:key>/callback": "OCMASP",
}
