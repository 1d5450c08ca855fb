import logging
import time
import urllib.parse

from odoo import api, fields, models, modules
from odoo.exceptions import UserError

from ..decorators import of_records
from ..exceptions import AliasHold, AliasRetry
from ..tools import address, guard, redact, vault
from ..tools.deadline import BUTTON_SECONDS, Deadline
from ..tools.transport import TransportFailure, smtp

_logger = logging.getLogger(__name__)


class UserEmailAliasConnection(models.AbstractModel):
    """Reaching the mail server: connect, log in, prove that it works."""

    _name = "user.email.alias.connection"
    _description = "Email Alias: Connection"

    @api.model
    def _get_guard(self):
        """What the administrator lets this database connect to."""
        allowed = self.env["ir.config_parameter"]._email_alias_get(
            "user_email_alias.allowed_targets"
        )
        try:
            return guard.Guard(allowed)
        except ValueError as error:
            _logger.error("user_email_alias.allowed_targets: %s", error)
            return guard.Guard("")

    @api.model
    def _get_local_hostname(self):
        """The name we would like to greet a mail server with; it need not be valid."""
        Params = self.env["ir.config_parameter"]
        name = Params._email_alias_get("user_email_alias.ehlo_name")
        if name.startswith("["):
            return name
        try:
            base = urllib.parse.urlsplit(Params._email_alias_get("web.base.url"))
            return address.host_to_ascii(name or base.hostname or "", "server_host")
        except (ValueError, address.AddressError):
            return ""

    def _connect_to__(self, server, deadline, *secrets, disable_tls=False):
        """Connect without logging in.

        :param server: ``host:port``
        :param Deadline deadline: the end of all that follows
        :param secrets: what this server may have been told at earlier logins, and so
            may repeat at any time
        :param disable_tls: talk in clear text, which only a password's owner may want
        :raise TransportFailure: with phase and outcome
        """
        return smtp.SmtpConnection.open(
            address.parse_server(server),
            self._get_guard(),
            deadline,
            disable_tls=disable_tls,
            local_hostname=self._get_local_hostname(),
            redact=redact.Blotter(*secrets),
        )

    def _open_connection__(self, deadline):
        """Connect and log in.

        :param Deadline deadline: the end of all that follows
        :return: a :class:`Transport` ready for a submission
        :raise TransportFailure: with phase and outcome
        :raise AliasHold: the account is not complete, or its secret not readable
        :raise AliasRetry: a passing trouble of something else than the mail server
        """
        self.ensure_one()
        if not self._is_complete():
            raise AliasHold(
                "incomplete",
                self.env._("Fill in the From Address and the SMTP Server:Port first."),
            )
        try:
            secret = self._read_secret__("smtp_secret") if self.smtp_user else None
        except vault.VaultError as error:
            raise AliasHold("vault", self._explain(error)) from None
        connection = self._connect_to__(
            self.smtp_server, deadline, secret or "", disable_tls=self.disable_tls
        )
        try:
            if self.smtp_user:
                connection.login_password(self.smtp_user, secret or "")
        except BaseException:
            connection.close()
            raise
        return connection

    def _test_connection__(self, deadline):
        """Go all the way up to RCPT TO, with the alias's own address.

        :param Deadline deadline: the end of the whole test
        :raise UserError: one plain sentence that says what to change
        """
        self.ensure_one()
        try:
            self._prove_login__(deadline)
        except (TransportFailure, AliasHold, AliasRetry) as error:
            raise UserError(self._explain(error)) from None
        return self.env._("Status: OK")

    def _prove_login__(self, deadline, is_again=False):
        """Ask the mail server whether this account may send as the From Address.

        :param is_again: the server hung up on the name by which it was greeted before
        """
        connection = self._open_connection__(deadline)
        try:
            self._prove_sender__(connection)
        except TransportFailure as failure:
            if is_again or not smtp.may_greet_again(failure.outcome):
                raise
        else:
            return
        finally:
            connection.close()
        self._prove_login__(deadline, is_again=True)

    def _prove_sender__(self, connection):
        """Find out whether the account may send as the alias.

        :raise TransportFailure: it may not
        """
        connection.check_sender(address.mailbox_to_ascii(self.email_from))

    def _explain(self, error):
        """Turn a failure into a sentence for the owner; the server's words follow."""
        self.ensure_one()
        if isinstance(error, vault.VaultError):
            return self.env._(
                "The stored password cannot be used: %s Enter the password again, "
                "or ask your administrator for the key.",
                error,
            )
        return str(error)

    @of_records
    def action_test_connection(self):
        """Connect, log in, check the sender; tell the outcome in one sentence."""
        message, kind = self._try_account__()
        hint = self.env._("The test did not pass: the alias says what to change.")
        return self._get_notification(message, kind, kind == "danger" and hint)

    def _try_account__(self):
        """Connect, log in, check the sender, and keep the outcome.

        Commits, as the servers may take their time.

        :return: (sentence for the owner, ``success`` or ``danger``)
        """
        self.ensure_one()
        self._check_owner()
        self._count_attempt()
        self._record_event("tested")
        started = time.monotonic()
        self._let_go()
        try:
            message = self._test_connection__(Deadline(BUTTON_SECONDS))
        except UserError as error:
            message, kind = str(error), "danger"
            # sudo: the state is written by the server only
            self.sudo().write(
                {"state_message": message, "state_at": fields.Datetime.now()}
            )
        else:
            kind = "success"
            self._set_verified()
        _logger.info(
            "Test of email alias %s: %s in %.1f s",
            self.id,
            kind,
            time.monotonic() - started,
        )
        return message, kind

    @api.model
    def _let_go(self):
        """End the transaction: none is open while a server is waited for."""
        if not modules.module.current_test:
            self.env.cr.commit()

    @api.model
    def _get_notification(self, message, kind, hint=""):
        """A notice for the screen, which then shows the alias as it is now.

        :param kind: ``success``, ``warning`` or ``danger``; only a success goes away
            by itself
        :param hint: what is said instead where the screen has the message already
        """
        return {
            "type": "ir.actions.client",
            "tag": "email_alias_notice",
            "params": {
                "type": kind,
                "message": message,
                "hint": hint,
                "sticky": kind != "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
