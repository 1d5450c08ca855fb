import logging
from urllib.parse import urlencode

from psycopg2 import errors

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from ..models.user_email_alias_oauth_settings import FLOWS, OUTCOME
from ..tools import oauth, redact, vault
from ..tools.deadline import Deadline

_logger = logging.getLogger(__name__)

# The authorization code is part of the address that the access log shows.
redact.withhold_query("/user_email_alias/oauth/")


class EmailAliasOauth(http.Controller):
    """Comes back from the provider; what it means is decided in the model."""

    @http.route(
        "/user_email_alias/oauth/<string:key>/callback",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
    )
    def callback(self, key, **_params):
        """Take the provider's answer; one callback for each provider (RFC 9700 4.4)."""
        args = request.httprequest.args
        provider = oauth.PROVIDERS.get(key)
        has_consented = provider and provider.read_admin_consent(args)
        if has_consented is not None and request.session.uid:
            return self._thank(has_consented)
        flow, failure = self._take_flow()
        if not request.session.uid:
            return self._ask_to_log_in()
        if not flow:
            return self._back(None, str(failure), "danger")
        alias, failure = self._get_alias(key, flow.pop("alias_id", None))
        if not alias:
            return self._back(alias, failure, "danger")
        asked_consent, transport = flow.get("asks_consent"), flow.get("transport")
        try:
            message = alias._finish_sign_in__(key, flow, self._get_params())
        except oauth.ConsentRefused as error:
            if error.code == "offline_missing" and not asked_consent:
                return self._ask_consent(alias, key, transport)
            return self._refuse(alias, error)
        except errors.LockNotAvailable:
            return self._back(
                alias,
                request.env._(
                    "Somebody else is working with this alias. Start again in a minute."
                ),
                "danger",
            )
        except (oauth.OAuthError, vault.VaultError, UserError) as error:
            return self._refuse(alias, error)
        proved = alias.state == "ok" and not alias.oauth_pending_user
        if proved:
            alias._look_up_domain_once(Deadline())
        return self._back(alias, message, "success" if proved else "warning")

    @classmethod
    def _thank(cls, has_consented):
        """Say what an administrator has done at the provider; here nothing changes."""
        if has_consented:
            message = request.env._(
                "The provider says: an administrator has consented for all users."
            )
            return cls._back(None, message, "success")
        message = request.env._(
            "The provider says: no administrator has consented. Nothing was changed."
        )
        return cls._back(None, message, "warning")

    @classmethod
    def _ask_to_log_in(cls):
        """Say on the page for the login why one sees it; the aliases follow."""
        said = request.env._(
            "The sign-in was not finished, for you are not logged in to Odoo any more. "
            "Log in here, then click the Sign In button of your email alias once more."
        )
        target = urlencode({"error": said, "redirect": "/odoo/email-aliases"})
        return cls._protect(request.redirect(f"/web/login?{target}"))

    @staticmethod
    def _take_flow():
        """The sign-in that this answer belongs to; others in the session go on.

        :return: (flow or None, what is wrong)
        """
        flows = request.session.get(FLOWS)
        state = request.httprequest.args.get("state", "")
        flow, left = oauth.take_flow(flows, state)
        if flow:
            request.session[FLOWS] = left
        return flow, oauth.FlowInvalid("state" if flows else "no_flow")

    def _ask_consent(self, alias, key, transport):
        """Go to the provider once more: it gives permission for later only if asked."""
        try:
            url = alias._leave_for_provider__(
                key, asks_consent=True, transport=transport
            )
        except (oauth.OAuthError, vault.VaultError) as error:
            return self._refuse(alias, error)
        return self._protect(request.redirect(url, local=False))

    def _refuse(self, alias, error):
        what = repr(error) if isinstance(error, oauth.OAuthError) else type(error)
        _logger.info("Sign-in for alias %s refused: %s", alias.id, what)
        message = alias._explain_sign_in(error)
        is_refused = isinstance(error, oauth.ConsentRefused)
        if is_refused and alias._remove_abandoned():
            alias = None
        return self._back(alias, message, "danger")

    @staticmethod
    def _get_params():
        """The parameters of the answer, none of them twice (RFC 6749 3.1).

        :raise oauth.FlowInvalid: somebody has added to the answer
        """
        args = request.httprequest.args
        if any(len(values) > 1 for values in args.listvalues()):
            raise oauth.FlowInvalid("answer")
        return args.to_dict()

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

    @classmethod
    def _back(cls, alias, message, kind):
        """Return to the form; the page shows the sentence once."""
        request.session[OUTCOME] = {"message": message, "type": kind}
        path = f"/odoo/email-aliases/{alias.id}" if alias else "/odoo/email-aliases"
        return cls._protect(request.redirect(path))

    @staticmethod
    def _protect(response):
        # the address of this page holds the authorization code (RFC 9700 4.2.4)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response
