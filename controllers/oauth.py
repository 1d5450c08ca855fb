import logging

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from ..tools import oauth, vault

_logger = logging.getLogger(__name__)

# Where a sign-in under way waits in the user's session; popped at first use.
FLOW = "user_email_alias_flow"
OUTCOME = "user_email_alias_outcome"


class EmailAliasOauth(http.Controller):
    """Leaves for the provider and comes back; what it means is decided in the model."""

    @http.route(
        "/user_email_alias/oauth/<string:key>/begin",
        type="http",
        auth="user",
        methods=["GET"],
        sitemap=False,
    )
    def begin(self, key, alias_id=None, **_ignored):
        """Send the browser to the provider."""
        alias, failure = self._get_alias(key, alias_id)
        if alias:
            try:
                url, flow = alias._begin_sign_in__(key)
            except (oauth.OAuthError, vault.VaultError) as error:
                failure = str(error)
            else:
                request.session[FLOW] = {**flow, "alias_id": alias.id}
                return request.redirect(url, local=False)
        return self._back(alias, failure, "danger")

    @http.route(
        "/user_email_alias/oauth/<string:key>/callback",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
    )
    def callback(self, key, **params):
        """Take the provider's answer; one callback for each provider (RFC 9700 4.4)."""
        if not request.session.uid:
            return request.redirect("/web/login")
        flow = request.session.pop(FLOW, None) or {}
        alias, failure = self._get_alias(key, flow.pop("alias_id", None))
        if not alias:
            return self._back(alias, failure, "danger")
        try:
            with request.env.cr.savepoint():
                message = alias._finish_sign_in__(key, flow, params)
        except (oauth.OAuthError, vault.VaultError, UserError) as error:
            _logger.info("Sign-in for alias %s refused: %r", alias.id, type(error))
            return self._back(alias, str(error), "danger")
        proved = alias.state == "ok" and not alias.oauth_pending_user
        return self._back(alias, message, "success" if proved else "warning")

    @staticmethod
    def _get_alias(key, alias_id):
        """The alias a sign-in is for.

        :return: (alias or None, what is wrong)
        """
        env = request.env
        if key not in oauth.PROVIDERS:
            return None, env._("This provider is not known.")
        try:
            return env["user.email.alias"]._check_callback_user(int(alias_id)), ""
        except (TypeError, ValueError):
            return None, str(oauth.FlowInvalid("no_flow"))
        except AccessError as error:
            return None, str(error)

    @staticmethod
    def _back(alias, message, kind):
        """Return to the form; the page shows the sentence once."""
        request.session[OUTCOME] = {"message": message, "type": kind}
        path = f"/odoo/email-aliases/{alias.id}" if alias else "/odoo/email-aliases"
        return request.redirect(path)
