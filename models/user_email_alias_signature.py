from markupsafe import Markup

from odoo import fields, models
from odoo.tools import is_html_empty


class UserEmailAliasSignature(models.AbstractModel):
    """What stands below a message written with the alias."""

    _name = "user.email.alias.signature"
    _description = "Email Alias: Signature"

    # nothing in it may lie over the form, where its owner and others read it
    signature = fields.Html(
        sanitize_style=True,
        strip_classes=True,
        help="Used instead of your own signature when you write as this alias. Leave "
        "it empty to use your own.",
    )

    def _get_signature(self):
        """The signature below a message of this alias; empty: its owner's own."""
        return Markup("") if is_html_empty(self.signature) else self.signature
