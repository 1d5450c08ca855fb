from odoo import fields, models
from odoo.exceptions import AccessError

from ..exceptions import MailboxClosed
from .user_email_alias_rights import NO_RIGHTS


class UserEmailAliasPermission(models.AbstractModel):
    """What the owner of an alias may use: asked again at each use, for rights go.

    What waits then waits until they are back, and says why.
    """

    _name = "user.email.alias.permission"
    _description = "Email Alias: Permission"

    waiting_reason = fields.Char(compute="_compute_waiting_reason")

    def _compute_waiting_reason(self):
        """Why emails wait though the account works."""
        counts = dict(
            # sudo: figures about one's own queue; mail.mail is for administrators
            self.env["mail.mail"]
            .sudo()
            ._read_group(
                [
                    ("email_alias_id", "in", self.ids),
                    ("failure_type", "=", NO_RIGHTS),
                    ("state", "=", "outgoing"),
                ],
                ["email_alias_id"],
                ["__count"],
            )
        )
        for alias in self:
            reason = alias._get_owner_trouble()
            if not reason and (count := counts.get(alias.sudo())):
                reason = self.env._(
                    "%s emails wait: you may not read the record they were written "
                    "on any more.",
                    count,
                )
            alias.waiting_reason = reason

    def _check_may_create_for(self, owner_id):
        """Ask the rules first: a taken name would tell whoever may not ask.

        :raise AccessError: this user may not create an alias of that one
        """
        if self.env.su or owner_id == self.env.uid:
            return
        domain = self.env["ir.rule"]._compute_domain(self._name, "create")
        if not self.new({"user_id": owner_id}).filtered_domain(domain):
            raise AccessError(
                self.env._("You can only create an email alias of your own.")
            )

    def _get_owner_trouble(self):
        """Why the owner may not use the alias at all; an empty text if they may."""
        self.ensure_one()
        # sudo: whether a user is active is no secret to whoever sees their alias
        owner_sudo = self.sudo().user_id
        if not owner_sudo.active:
            return self.env._("%s is archived: nothing leaves.", owner_sudo.name)
        if owner_sudo.share:
            return self.env._(
                "%s is not an internal user any more: nothing leaves.", owner_sudo.name
            )
        return ""

    def _check_mailbox_open(self):
        """Let copies be filed only where the owner may file mail today.

        :raise MailboxClosed: one sentence that says who can change that
        """
        self.ensure_one()
        if trouble := self._get_owner_trouble():
            raise MailboxClosed(trouble)
        # sudo: which kind of mailbox it is, and for whom
        alias_sudo = self.sudo()
        if server_sudo := alias_sudo.imap_server_id:
            Mailbox = self.env["user.email.alias.mailbox"].with_user(alias_sudo.user_id)
            if not Mailbox.search_count([("id", "=", server_sudo.id)]):
                raise MailboxClosed(
                    self.env._(
                        "You may not file sent mail in the IMAP server “%s” any more: "
                        "choose another one, or ask your administrator.",
                        server_sudo.name,
                    )
                )
        elif not self._is_own_imap_allowed():
            raise MailboxClosed(
                self.env._("The administrator allows no IMAP server of one's own.")
            )
