from odoo import models
from odoo.http import request

from .user_email_alias_oauth_settings import OUTCOME


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Extend: the page knows the user's aliases; no screen asks for them."""
        info = super().session_info()
        if self.env.user and self.env.user._is_internal():
            aliases = self.env.user._email_alias_web_client_data()
            if aliases:
                info["email_aliases"] = aliases
            if request and (outcome := request.session.pop(OUTCOME, None)):
                info["email_alias_outcome"] = outcome
        return info
