from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import is_html_empty

from ..tools import signature


class UserEmailAliasSignature(models.AbstractModel):
    """What stands below a message written with the alias."""

    _name = "user.email.alias.signature"
    _description = "Email Alias: Signature"

    # what may be in it is decided in tools/signature.py
    signature = fields.Html(
        sanitize_style=True,
        strip_classes=True,
        help="Used instead of your own signature when you write as this alias. Leave "
        "it empty to use your own.",
    )

    @api.model
    def default_get(self, fields_list):
        """Restrict: a default of the context is cleaned like what is typed."""
        return self._clean_signature(super().default_get(fields_list))

    @api.model
    def _clean_signature(self, vals):
        if vals.get("signature"):
            vals = {**vals, "signature": signature.clean(vals["signature"])}
        return vals

    def _get_signature(self):
        """The signature below a message of this alias; empty: its owner's own."""
        if is_html_empty(self.signature):
            return Markup("")
        # stored HTML is sanitised
        return Markup(signature.for_sending(self.signature))  # noqa: S704
