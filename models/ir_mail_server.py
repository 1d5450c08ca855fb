from odoo import models

from odoo.addons.base.models.ir_mail_server import extract_rfc2822_addresses

from ..sending.message import Capture


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

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
                for found in extract_rfc2822_addresses(recipient)
            ]
            server = self.with_context(send_validated_to=in_ascii or validated)
        return super(IrMailServer, server)._prepare_smtp_to_list(message, smtp_session)
