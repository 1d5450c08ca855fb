from odoo import models

from odoo.addons.base.models.ir_mail_server import extract_rfc2822_addresses

from ..sending.message import BUILDING, MAX_BYTES, Capture
from ..tools.header.mailboxes import as_literal_names, clean_address, clean_mailbox
from ..tools.header.text import as_literal, clean

# What may hold text that people typed.
TYPED_ARGUMENTS = frozenset(
    ("email_cc", "email_to", "headers", "references", "reply_to", "subject")
)

# Who else a message went to: core lets them stand in To.
TO_ADD = "X-Msg-To-Add"


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _build_email__(self, *args, **kwargs):
        """Extend for aliases: attachments are encoded once for all mails of a lane.

        And what was pasted into a header unseen, a line break for example, does not
        make the mail fail; a subject that looks encoded is read as it was typed.
        """
        shared = self.env.context.get(BUILDING)
        if shared is None:
            return super()._build_email__(*args, **kwargs)
        attachments = kwargs.pop("attachments", None) or ()
        for name in TYPED_ARGUMENTS.intersection(kwargs):
            kwargs[name] = _clean(kwargs[name])
        for name in ("email_to", "email_cc"):
            kwargs[name] = [clean_mailbox(text) for text in kwargs.get(name) or ()]
        kwargs["subject"] = as_literal(kwargs.get("subject") or "")
        headers = kwargs.get("headers") or {}
        if TO_ADD in headers:
            # core adds these to To, and reads their names as encoded words twice
            added = as_literal(as_literal_names(headers[TO_ADD]))
            kwargs["headers"] = {**headers, TO_ADD: added}
        message = super()._build_email__(*args, **kwargs)
        for filename, content, mimetype in attachments:
            shared.attach(message, filename, content, mimetype)
        return message

    def _get_max_email_size(self):
        """Extend for aliases: what the alias's own server takes, in megabytes."""
        max_bytes = self.env.context.get(MAX_BYTES)
        return max_bytes / 1024**2 if max_bytes else super()._get_max_email_size()

    def _prepare_smtp_to_list(self, message, smtp_session):
        """Extend for aliases: recipients whose domain has letters beyond ASCII.

        Core reads the recipients off the headers, where such a domain is in its
        ASCII form, and keeps those in a list of validated ones, where it is not:
        none is left and the mail fails as if its address were wrong.
        """
        server = self
        validated = self.env.context.get("send_validated_to")
        if validated and isinstance(smtp_session, Capture):
            in_ascii = [
                found
                for recipient in validated
                for found in extract_rfc2822_addresses(clean_address(recipient))
            ]
            server = self.with_context(send_validated_to=in_ascii or validated)
        return super(IrMailServer, server)._prepare_smtp_to_list(message, smtp_session)


def _clean(value):
    """Clean a header's text, or each text in a list or dict of them."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: _clean(text) for name, text in value.items()}
    return [_clean(text) for text in value] if isinstance(value, list) else value
