from odoo import api, fields, models

from ..tools.transport import API_TRANSPORTS

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
    large_attachments = fields.Char(
        compute="_compute_large_attachments",
        help="A sentence, where the provider takes large emails in another way.",
    )

    @api.depends("provider", "transport", "oauth_permissions", "organisation")
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
