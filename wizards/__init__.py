from . import (
    base_partner_merge,
    mail_compose_message,
    user_email_alias_cancel,
    user_email_alias_folder,
)
