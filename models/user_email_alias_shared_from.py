import contextlib
from email import policy
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from ..tools import address, oauth


class UserEmailAliasSharedFrom(models.AbstractModel):
    """A From Address that is not the signed-in account's: a shared mailbox.

    Login, identity and From are three things: the name one signs in with need not be
    an address at all. Who may send as whom is for the mail server to say, and some say
    it only when they have the whole message.
    """

    _name = "user.email.alias.shared.from"
    _description = "Email Alias: Shared From"

    oauth_mailbox = fields.Char(
        readonly=True, copy=False, help="The address of the signed-in account."
    )
    oauth_addresses = fields.Text(
        readonly=True,
        copy=False,
        help="The addresses of the signed-in mailbox, a line for each.",
    )
    is_shared_from = fields.Boolean(compute="_compute_is_shared_from")

    @api.depends(
        "email_from", "provider", "oauth_user", "oauth_mailbox", "oauth_addresses"
    )
    def _compute_is_shared_from(self):
        for alias in self:
            own = (alias.oauth_addresses or "").splitlines()
            alias.is_shared_from = bool(alias.oauth_mailbox) and alias._is_shared(
                alias.provider, alias.oauth_user, alias.oauth_mailbox, *own
            )

    @api.model
    def _read_addresses(self, connection):
        """The addresses of the mailbox, those that can be a From Address.

        :param Transport connection: its sender was checked
        """
        found = {}
        for text in connection.own_addresses:
            with contextlib.suppress(address.AddressError):
                found.setdefault(email_normalize(address.parse_mailbox(text)))
        return [mailbox for mailbox in found if mailbox]

    def _note_addresses(self, account, connection):
        """Note the addresses of an account; its main one wins over what it claims.

        :return: the login and all addresses
        """
        addresses = self._read_addresses(connection)
        if addresses:
            account["email"] = addresses[0]
            account["addresses"] = "\n".join(addresses)
        return account["login"], account["email"], *addresses

    def _is_shared(self, key, *own):
        """Whether the From Address is none of the account's own, and may be so.

        :param key: the provider
        """
        provider = oauth.PROVIDERS.get(key)
        may_be = bool(provider and provider.lets_send_as_others)
        return may_be and bool(self.email_from) and not self._is_own_address(*own)

    def _is_own_address(self, *own):
        """Whether the From Address is one of these."""
        mailbox = email_normalize(self.email_from)
        return mailbox in {email_normalize(email or "") for email in own}

    def _check_account(self, key, identity, known, account):
        """Refuse an account that does not belong to this alias.

        :param key: the provider
        :param known: the identity that the alias was signed in with before
        """
        if known and known != identity and self.waiting_count:
            raise UserError(
                self.env._(
                    "You signed in as %(new)s, but %(count)s emails still wait to "
                    "leave as %(old)s. Sign in with that account, or cancel them "
                    "first.",
                    new=account["email"],
                    count=self.waiting_count,
                    old=self.email_from,
                )
            )
        own = account["login"], account["email"]
        if known or not self.email_from or self._is_own_address(*own):
            return
        if self.waiting_count or not self._is_shared(key, *own):
            raise UserError(
                self.env._(
                    "You signed in as %(new)s, but the From Address of this alias is "
                    "%(old)s. Choose that account when you sign in, or empty the From "
                    "Address first.",
                    new=account["email"],
                    old=self.email_from,
                )
            )

    def _check_shared_from(self, account, trouble):
        """Keep no account that was not proved to send as somebody else's mailbox.

        :param trouble: why nothing could be proved, None if it was
        """
        own = account["login"], account["email"]
        own += tuple(account.get("addresses", "").splitlines())
        if trouble and self._is_shared(account["key"], *own):
            raise UserError(
                self.env._(
                    "You signed in as %(new)s. Whether it may send as %(old)s could "
                    "not be tried, so nothing was changed: %(words)s",
                    new=account["email"],
                    old=self.email_from,
                    words=trouble,
                )
            )

    def _prove_sender__(self, connection):
        """Extend: a shared mailbox is proved by a message to oneself."""
        super()._prove_sender__(connection)
        addresses = "\n".join(self._read_addresses(connection))
        if addresses and addresses != self.oauth_addresses:
            # sudo: written by the server only
            self.sudo().oauth_addresses = addresses
        if self.is_shared_from:
            self._send_proof__(connection, self.email_from, self.oauth_mailbox)

    def _send_proof__(self, connection, sender, mailbox):
        """Send a short email to oneself: only then some servers judge the sender.

        :param mailbox: where it goes to, the signed-in account's own
        :raise TransportFailure: the account may not send as ``sender``
        """
        message = EmailMessage(policy=policy.SMTP)
        envelope_from = address.mailbox_to_ascii(sender)
        recipient = address.mailbox_to_ascii(mailbox)
        message["From"] = formataddr((self.alias_name or "", envelope_from))
        message["To"] = recipient
        message["Subject"] = self.env._("Odoo sends as %s", sender)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=envelope_from.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            self.env._(
                "You received this because you have tested your email alias. It shows "
                "that your account may send as %s. Nobody else received it.",
                sender,
            )
        )
        connection.submit(envelope_from, [recipient], message.as_bytes())
