from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def color_scheme(self):
        """Extend: a cookie chooses, as in the editions that offer dark colours."""
        chosen = request.httprequest.cookies.get("color_scheme") if request else None
        return chosen or super().color_scheme()
