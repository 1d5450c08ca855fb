# ruff: noqa: I001 - what the dialogues share comes before them
from . import user_email_alias_dialogue
from . import (
    base_partner_merge,
    calendar_popover_delete_wizard,
    mail_compose_message,
    mail_followers_edit,
    user_email_alias_cancel,
    user_email_alias_folder,
    user_email_alias_setup,
)
