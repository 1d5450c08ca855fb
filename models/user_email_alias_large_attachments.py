import contextlib
import logging

from psycopg2 import errors

from odoo import api, fields, models

from ..exceptions import AliasHold
from ..tools import oauth, vault
from ..tools.transport import API_TRANSPORTS, Outcome, Phase, TransportFailure

_logger = logging.getLogger(__name__)

MEGABYTE = 1_000_000


class UserEmailAliasLargeAttachments(models.AbstractModel):
    """Emails that an interface does not take in one request."""

    _name = "user.email.alias.large.attachments"
    _description = "Email Alias: Large Attachments"

    oauth_permissions = fields.Char(
        "Permissions",
        readonly=True,
        copy=False,
        help="What was granted at the last sign-in.",
    )
    oauth_smtp_server = fields.Char(
        readonly=True,
        copy=False,
        help="The mail server by which the same account has sent before.",
    )
    has_smtp_road = fields.Boolean(
        readonly=True,
        copy=False,
        help="That mail server takes what is too large for the interface.",
    )
    large_attachments = fields.Char(
        compute="_compute_large_attachments",
        help="A sentence, where the provider takes large emails in another way.",
    )

    @api.depends(
        "provider", "transport", "oauth_permissions", "organisation", "has_smtp_road"
    )
    def _compute_large_attachments(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        for alias in self:
            kind = API_TRANSPORTS.get(alias.transport)
            if not (kind and kind.draft_permission and alias.is_signed_in):
                alias.large_attachments = False
                continue
            small = Settings._get_request_bytes(alias.provider) or kind.mime_bytes
            size = f"{min(small, kind.most_mime_bytes) / MEGABYTE:g}"
            alias.large_attachments = alias._get_large_attachments_sentence(
                size, f"{kind.draft_bytes / MEGABYTE:g}"
            )

    def _get_large_attachments_sentence(self, size, most):
        """What becomes of emails that are too large for one request.

        :param size, most: megabytes of one request, and of all, as text
        """
        if self.has_smtp_road:
            return self.env._(
                "Emails above %(size)s MB leave through SMTP, by what you permitted "
                "before.",
                size=size,
            )
        account = {
            "key": self.provider,
            "transport": self.transport,
            "mailbox": self.oauth_user if self.is_by_organisation else "",
            "permissions": self.oauth_permissions,
        }
        if self._may_draft(account):
            return self.env._(
                "Emails above %(size)s MB are put together in your Drafts and sent "
                "from there, up to %(most)s MB.",
                size=size,
                most=most,
            )
        Settings = self.env["user.email.alias.oauth.settings"]
        if Settings._wants_large_attachments(self.provider):
            return self.env._(
                "Emails above %(size)s MB leave with links instead of attachments. "
                "Your administrator allows large attachments now: sign in again to "
                "use that.",
                size=size,
            )
        return self.env._(
            "Emails above %(size)s MB leave with links instead of attachments.",
            size=size,
        )

    # ------------------------------------------------------------------
    # By SMTP, where the same account has proved it
    # ------------------------------------------------------------------

    def _get_smtp_road(self, account):
        """What is kept of the way by which the same account has sent before.

        :param account: the one that has just signed in
        """
        # sudo: the identity is closed to everybody
        before = self.sudo()
        identity = account["identity"]
        is_same = bool(identity) and before.oauth_identity == identity
        if not is_same or account["transport"] not in API_TRANSPORTS:
            return {"oauth_smtp_server": False, "has_smtp_road": False}
        if before.transport == "smtp":
            server, is_open = before.oauth_server, before.state == "ok"
        else:
            server, is_open = before.oauth_smtp_server, before.has_smtp_road
        kind = API_TRANSPORTS[account["transport"]]
        is_open = bool(server and is_open and kind.takes_larger_elsewhere)
        return {"oauth_smtp_server": is_open and server, "has_smtp_road": is_open}

    def _open_smtp_road__(self, deadline):
        """Open SMTP for what is too large for the interface.

        In transactions of its own: no other is open while an email is submitted.

        :return: a :class:`Transport`; None: it is closed, and not tried again
        :raise TransportFailure: it cannot be reached for now
        """
        with contextlib.closing(self.env.registry.cursor()) as cr:
            alias = api.Environment(cr, api.SUPERUSER_ID, {})[self._name].browse(
                self.id
            )
            try:
                return alias._log_in_by_smtp__(deadline)
            except TransportFailure as failure:
                if not failure.outcome.hold:
                    raise
                reason = str(failure)
            except (AliasHold, oauth.ConsentDead, vault.VaultError) as error:
                reason = str(error)
            except (oauth.OAuthError, errors.LockNotAvailable, TimeoutError) as error:
                outcome = Outcome("deferred", "alias", "unavailable")
                raise TransportFailure(
                    str(error), phase=Phase.AUTH, outcome=outcome
                ) from None
            cr.rollback()
            _logger.info("Alias %s: no SMTP for large emails: %s", self.id, reason)
            alias.has_smtp_road = False
            cr.commit()
        return None

    def _log_in_by_smtp__(self, deadline):
        provider = self._get_provider__(deadline)
        with self._refreshing(deadline) as fresh:
            tokens = fresh._read_secret__("oauth_secret") or ""
            token = provider.refresh_for(tokens, "smtp")
            fresh._store_tokens__(token.tokens)
        account = {
            "key": self.provider,
            "transport": "smtp",
            "server": self.oauth_smtp_server,
            "login": self.oauth_user,
        }
        return self._open_account__(account, deadline, token.access_token_secret)

    @api.model
    def _may_draft(self, account):
        """Whether an account's large emails may go by way of Drafts.

        With an organisation account its administrator has granted that or not, and
        nobody is told.

        :param account: see `_open_account__`
        """
        kind = API_TRANSPORTS.get(account["transport"])
        if not kind or not kind.draft_permission:
            return False
        Settings = self.env["user.email.alias.oauth.settings"]
        if not Settings._wants_large_attachments(account["key"]):
            return False
        granted = (account.get("permissions") or "").split()
        return bool(account.get("mailbox")) or kind.draft_permission in granted
