from . import (
    ir_http,
    user_email_alias,
    user_email_alias_client,
    user_email_alias_delivery,
    user_email_alias_queue,
    mail_mail,
    mail_message,
    mail_notification,
    mail_thread,
    mailing_mailing,
    mailing_trace,
    res_users,
)
