import logging
import time
import urllib.parse
from datetime import datetime

import pytz

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..exceptions import AliasHold, AliasRetry
from ..sending.forecast import Forecast
from ..tools import address, guard, redact, vault
from ..tools.transport import smtp

_logger = logging.getLogger(__name__)

redact.withhold_parameters(("smtp_password", "imap_password", "client_secret"))

# Written by the server alone: a user who could would fake a proof or a sign-in.
SERVER_FIELDS = frozenset(
    (
        "provider",
        "smtp_secret",
        "state",
        "state_message",
        "state_at",
        "hold_reason",
        "backoff_until",
        "backoff_count",
        "is_paused",
        "pause_ms",
        "pause_reason",
    )
)

# What a server takes for one email, in seconds, until it was measured.
DEFAULT_SERVICE_SECONDS = 0.5

# Changing one of these sends the stored password to another place, so it is
# forgotten unless a new one comes along.
PASSWORD_BOUND_FIELDS = ("smtp_server", "smtp_user", "disable_tls")

# Changing one of these means that the account has to prove itself again.
ACCOUNT_FIELDS = (*PASSWORD_BOUND_FIELDS, "smtp_password", "email_from", "provider")


class UserEmailAlias(models.Model):
    """The outgoing account of one user: who, through which server, how fast."""

    _name = "user.email.alias"
    _description = "Email Alias"
    _order = "is_default desc, name, id"
    _rec_names_search = ["name", "alias_name", "email_from"]

    # identity -------------------------------------------------------------
    name = fields.Char(
        "Description",
        help="A unique name by which you recognise this alias. "
        "It is never shown to the people you write to.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Owner",
        required=True,
        index=True,
        ondelete="restrict",
        default=lambda self: self.env.user,
    )
    active = fields.Boolean(default=True)
    provider = fields.Selection(
        [("smtp", "SMTP"), ("google", "Google"), ("microsoft", "Microsoft")],
        required=True,
        default="smtp",
        readonly=True,
        copy=False,
    )
    alias_name = fields.Char(
        "Alias Name",
        default=lambda self: self.env.user.name,
        help="Your name as recipients see it in the From line.",
    )
    email_from = fields.Char(
        "From Address",
        help="Your email address. Signing in with Google or Microsoft fills it in.",
    )
    reply_to = fields.Char(
        "Reply to Address",
        help="Another address that replies should go to. Leave it empty and "
        "replies reach the record in Odoo, or else the From Address.",
    )
    is_default = fields.Boolean(
        "Make Default",
        copy=False,
        help="This alias is picked as From unless you choose another one.",
    )
    # account --------------------------------------------------------------
    smtp_server = fields.Char(
        "SMTP Server:Port",
        help="For example mail.myserver.com:465. Port 465 is encrypted from the "
        "start, every other port switches to TLS; without a port 587 is used.",
    )
    imap_server_id = fields.Many2one(
        "fetchmail.server",
        "Incoming Mail Server",
        ondelete="set null",
        copy=False,
        help="Emails sent with this alias also appear in the Sent Items of this "
        "incoming account.",
    )
    smtp_user = fields.Char(
        "SMTP User Name",
        help="Often your email address, sometimes only the part before the @. "
        "Your provider's documentation tells.",
    )
    smtp_password = fields.Char(
        "SMTP Password",
        compute="_compute_smtp_password",
        inverse="_inverse_smtp_password",
        copy=False,
        exportable=False,
        help="The password of this mailbox, not the one you log in to Odoo with. "
        "It is stored encrypted and nobody can read it back.",
    )
    smtp_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, exportable=False)
    has_smtp_password = fields.Boolean(compute="_compute_has_smtp_password")
    disable_tls = fields.Boolean(
        "Disable SSL/TLS",
        help="Only for a mail server that cannot encrypt. Your password and your "
        "emails are then readable on the way to it.",
    )
    # pace -----------------------------------------------------------------
    delay_ms = fields.Integer(
        "Delay Between Emails (milliseconds)",
        aggregator=None,
        help="The pause after each email of a bulk sending. A provider that allows "
        "30 emails per minute wants at least 2000; 2500 leaves a margin.",
    )
    daily_limit = fields.Integer(
        "Daily Limit",
        aggregator=None,
        help="How many emails may leave within 24 hours; 0 means no limit of ours. "
        "When it is reached the rest waits until it may go on.",
    )
    is_paused = fields.Boolean(
        "Paused",
        readonly=True,
        copy=False,
        help="The owner paused the alias; its emails wait.",
    )
    pause_ms = fields.Integer(
        "Current Pause",
        readonly=True,
        copy=False,
        aggregator=None,
        help="Milliseconds; wider than the delay for a while after the server asked "
        "to send more slowly.",
    )
    pause_reason = fields.Text(readonly=True, copy=False)
    # state ----------------------------------------------------------------
    state = fields.Selection(
        [("draft", "Not tested"), ("ok", "OK"), ("hold", "On hold")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    state_message = fields.Text(readonly=True, copy=False)
    state_at = fields.Datetime(readonly=True, copy=False)
    hold_reason = fields.Char(readonly=True, copy=False)
    backoff_until = fields.Float(
        readonly=True,
        copy=False,
        digits=(17, 6),
        aggregator=None,
        help="Seconds since the epoch; until then nothing is sent with this alias.",
    )
    backoff_count = fields.Integer(readonly=True, copy=False, aggregator=None)
    # figures --------------------------------------------------------------
    waiting_count = fields.Integer("Waiting", compute="_compute_counts")
    waiting_forecast = fields.Char(compute="_compute_waiting_forecast")
    uncertain_count = fields.Integer("Uncertain", compute="_compute_counts")
    sent_today_count = fields.Integer("Sent today", compute="_compute_counts")
    is_mine = fields.Boolean(compute="_compute_is_mine")

    _default_uniq = models.UniqueIndex(
        "(user_id) WHERE is_default AND active",
        "A user can have one default alias only.",
    )
    _name_uniq = models.UniqueIndex(
        "(user_id, lower(name))",
        "You already have an alias with this Description.",
    )
    _delay_range = models.Constraint(
        "CHECK(delay_ms >= 0 AND delay_ms <= 3600000)",
        "The Delay Between Emails is a number of milliseconds from 0 to 3,600,000 "
        "(one hour).",
    )

    # ------------------------------------------------------------------
    # Computes
    # ------------------------------------------------------------------

    @api.depends("alias_name", "email_from", "name")
    def _compute_display_name(self):
        for alias in self:
            if alias.email_from:
                alias.display_name = (
                    f"{alias.alias_name} <{alias.email_from}>"
                    if alias.alias_name
                    else alias.email_from
                )
            else:
                alias.display_name = alias.name or self.env._("New email alias")

    def _compute_smtp_password(self):
        self.smtp_password = False

    @api.depends("smtp_secret")
    def _compute_has_smtp_password(self):
        for alias in self:
            # sudo: whether there is a secret is no secret
            alias.has_smtp_password = bool(alias.sudo().smtp_secret)

    @api.depends_context("uid")
    @api.depends("user_id")
    def _compute_is_mine(self):
        for alias in self:
            alias.is_mine = alias.user_id == self.env.user

    def _compute_counts(self):
        waiting = dict(
            # sudo: figures about one's own queue; mail.mail is for administrators
            self.env["mail.mail"]
            .sudo()
            ._read_group(
                [("email_alias_id", "in", self.ids), ("state", "=", "outgoing")],
                ["email_alias_id"],
                ["__count"],
            )
        )
        Log = self.env["user.email.alias.log"]
        uncertain = dict(
            Log._read_group(
                [("alias_id", "in", self.ids), ("outcome", "=", "uncertain")],
                ["alias_id"],
                ["__count"],
            )
        )
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        today = today.replace(hour=0, minute=0, second=0, microsecond=0)
        sent = dict(
            Log._read_group(
                [
                    ("alias_id", "in", self.ids),
                    ("outcome", "=", "sent"),
                    ("replied_at", ">=", today.timestamp()),
                ],
                ["alias_id"],
                ["__count"],
            )
        )
        for alias in self:
            alias.waiting_count = waiting.get(alias.sudo(), 0)
            alias.uncertain_count = uncertain.get(alias, 0)
            alias.sent_today_count = sent.get(alias, 0)

    @api.depends_context("tz", "lang")
    def _compute_waiting_forecast(self):
        for alias in self:
            alias.waiting_forecast = (
                alias._get_forecast(alias.waiting_count).describe_rest(alias)
                if alias.waiting_count
                else False
            )

    @api.onchange(*PASSWORD_BOUND_FIELDS)
    def _onchange_password_bound(self):
        origin = self._origin
        if origin and origin._forgets_password(
            {fname: self[fname] for fname in PASSWORD_BOUND_FIELDS}
        ):
            self.has_smtp_password = False

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._complete_vals(vals) for vals in vals_list]
        users_with_default = set()
        for vals in vals_list:
            user_id = vals["user_id"]
            if not vals["active"]:
                vals["is_default"] = False
                continue
            if user_id in users_with_default:
                vals["is_default"] = False
                continue
            default = self._default_of(user_id)
            if vals.get("is_default"):
                default._set_default(False)
            elif "is_default" not in vals or not default:
                vals["is_default"] = not default
            if vals["is_default"]:
                users_with_default.add(user_id)
        return super().create(vals_list)

    def write(self, vals):
        self._check_server_fields(vals)
        if "user_id" in vals and any(a.user_id.id != vals["user_id"] for a in self):
            raise UserError(
                self.env._(
                    "An alias stays with its user. Create a new one for the other user."
                )
            )
        if vals.get("is_default"):
            self.ensure_one()
            (self._default_of(self.user_id.id) - self)._set_default(False)
        handing_on = self.browse()
        if vals.get("active") is False:
            handing_on = self.filtered("is_default")
            vals = {"is_default": False, **vals}
        self._forget_passwords(vals)
        result = super().write(vals)
        if vals.get("active"):
            handing_on = self.filtered(lambda a: not self._default_of(a.user_id.id))
        handing_on._reassign_default()
        if any(fname in vals for fname in ACCOUNT_FIELDS):
            self._reset_state()
        if "daily_limit" in vals:
            # sudo: a wait for the old limit is over
            self.sudo().filtered(
                lambda a: a.backoff_until and not a.backoff_count
            ).write({"backoff_until": 0, "state_message": False})
        if vals.get("active") or {"delay_ms", "daily_limit"} & vals.keys():
            self.env["user.email.alias.queue"]._trigger_cron()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_waiting(self):
        for alias in self:
            # sudo: mail.mail is for administrators; only numbers are shown
            left = dict(
                self.env["mail.mail"]
                .sudo()
                ._read_group(
                    [("email_alias_id", "=", alias.id), ("state", "!=", "sent")],
                    ["state"],
                    ["__count"],
                )
            )
            if left:
                raise UserError(
                    self.env._(
                        "“%(alias)s” still has %(waiting)s waiting and %(failed)s "
                        "failed or cancelled emails, which can leave by no other "
                        "way. Archive the alias instead, or deal with these first.",
                        alias=alias.display_name,
                        waiting=left.pop("outgoing", 0),
                        failed=sum(left.values()),
                    )
                )

    def unlink(self):
        handing_on = self.filtered("is_default")
        owners = handing_on.user_id
        self.check_access("unlink")
        self._release_mailings()
        # sudo: rows of the technical queue that are done with
        self.env["mail.mail"].sudo().search(
            [("email_alias_id", "in", self.ids), ("state", "=", "sent")]
        ).write({"email_alias_id": False})
        result = super().unlink()
        for owner in owners:
            self._next_default(owner)._set_default(True)
        return result

    def _release_mailings(self):
        """Let drafts go on without the alias; what is on its way needs it.

        :raise UserError: a mailing is on its way
        """
        # sudo: mailings of colleagues may name the alias as well
        mailings_sudo = self.env["mailing.mailing"].sudo()
        mailings_sudo = mailings_sudo.with_context(active_test=False).search(
            [("email_alias_id", "in", self.ids), ("state", "!=", "done")]
        )
        drafts_sudo = mailings_sudo.filtered(lambda m: m.state == "draft")
        if going := mailings_sudo - drafts_sudo:
            raise UserError(
                self.env._(
                    "The mailing “%s” is on its way with this alias. Wait until it is "
                    "sent, cancel it, or archive the alias instead.",
                    going[0].display_name,
                )
            )
        drafts_sudo.email_alias_id = False

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        for alias, vals in zip(self, vals_list, strict=True):
            vals["user_id"] = alias.user_id.id
        return vals_list

    def _get_server_fields(self):
        return SERVER_FIELDS

    def _get_open_server_fields(self):
        """Those that no access right closes: a default from outside could set them."""
        return {
            fname
            for fname in self._get_server_fields()
            if self._fields[fname].groups != fields.NO_ACCESS
        }

    def _check_server_fields(self, vals):
        if not self.env.su and not self._get_server_fields().isdisjoint(vals):
            raise AccessError(
                self.env._("The state of an email alias is set by the server only.")
            )

    @api.model
    def _complete_vals(self, vals):
        """Name outright what no default from outside may decide."""
        self._check_server_fields(vals)
        return {
            **dict.fromkeys(self._get_open_server_fields(), False),
            "provider": "smtp",
            "state": "draft",
            "active": True,
            "user_id": self.default_get(["user_id"]).get("user_id"),
            **vals,
        }

    # ------------------------------------------------------------------
    # Default flag
    # ------------------------------------------------------------------

    @api.model
    def _default_of(self, user_id):
        """The flagged alias of a user, complete or not (void if none)."""
        # sudo: administrators create aliases for others
        return self.sudo().search(
            [("user_id", "=", user_id), ("is_default", "=", True)], limit=1
        )

    @api.model
    def _next_default(self, user):
        candidates = self.sudo().search([("user_id", "=", user.id)], order="id")
        return (candidates.filtered(lambda a: a._is_complete()) or candidates)[:1]

    def _reassign_default(self):
        for user in self.user_id:
            self._next_default(user)._set_default(True)

    def _set_default(self, value):
        if self:
            super().write({"is_default": value})
            # the unique index must see this before the next flag is set
            self.flush_recordset(["is_default"])

    # ------------------------------------------------------------------
    # Who may use it, and as what
    # ------------------------------------------------------------------

    def _is_complete(self):
        """Whether there is all that a login and a From header need."""
        self.ensure_one()
        return bool(self.email_from and self.smtp_server)

    @api.model
    def _get_default(self, user):
        """The alias picked as From for ``user``: flagged and complete, or void."""
        if not user or user._is_public() or user.share or not user.active:
            return self.browse()
        alias = self._default_of(user.id)
        return alias.sudo(False) if alias and alias._is_complete() else self.browse()

    def _check_owner(self):
        """Let only the owner go on; OdooBot acts for code that has checked.

        :raise AccessError: the environment's user does not own every alias
        """
        if self.env.uid == api.SUPERUSER_ID:
            return
        # sudo: the owner decides, whatever may be read
        foreign = self.sudo().filtered(lambda a: a.user_id.id != self.env.uid)
        if foreign:
            raise AccessError(
                self.env._("You can only send with an email alias of your own.")
            )

    def _check_usable(self):
        """As :meth:`_check_owner`, and the alias is there and filled in."""
        self._check_owner()
        for alias_sudo in self.sudo():
            if not alias_sudo.exists() or not alias_sudo.active:
                raise UserError(self.env._("This email alias is archived."))
            if not alias_sudo._is_complete():
                raise UserError(
                    self.env._(
                        "The email alias “%s” is not filled in yet: it needs a From "
                        "Address and a mail server.",
                        alias_sudo.display_name,
                    )
                )

    def _get_formatted_from(self):
        """The header From: ``Alias Name <From Address>`` (RFC 5322 3.6.2)."""
        self.ensure_one()
        return tools.formataddr((self.alias_name or "", self.email_from or ""))

    # ------------------------------------------------------------------
    # Secrets
    # ------------------------------------------------------------------

    def _inverse_smtp_password(self):
        for alias in self:
            if alias.smtp_password:
                alias._write_secret__("smtp_secret", alias.smtp_password)
        self.invalidate_recordset(["smtp_password"])

    def _get_vault__(self):
        return self.env["user.email.alias.oauth.settings"]._get_vault__()

    def _get_binding(self, fname):
        # sudo: the database's identity is no secret but a system parameter
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return vault.Binding(uuid or "", self._name, self.id, fname)

    def _write_secret__(self, fname, secret):
        """Encrypt ``secret`` for this row and field.

        :raise UserError: there is no usable key
        """
        self.ensure_one()
        try:
            cipher = self._get_vault__().encrypt(secret, self._get_binding(fname))
        except vault.VaultError as error:
            raise UserError(
                self.env._("The password cannot be stored safely: %s", error)
            ) from None
        # sudo: nobody may read or write the column but this method and its twin
        self.sudo()[fname] = cipher

    def _read_secret__(self, fname):
        """Decrypt a secret for the length of a login.

        :return: the secret, or None when none is stored
        :raise vault.VaultError: key missing or wrong, cipher text moved or damaged
        """
        self.ensure_one()
        cipher = self.sudo()[fname]
        if not cipher:
            return None
        return self._get_vault__().decrypt(cipher, self._get_binding(fname))

    def _forgets_password(self, vals):
        """Whether ``vals`` would send the stored password somewhere else."""
        self.ensure_one()

        def host(text):
            try:
                server = address.parse_server(text or "")
            except address.AddressError:
                return text or ""
            # the owner may try other ports; nobody else sends it to another service
            return server.host if self.is_mine else str(server)

        return (
            (
                "smtp_server" in vals
                and host(vals["smtp_server"]) != host(self.smtp_server)
            )
            or (
                "smtp_user" in vals
                and (vals["smtp_user"] or "") != (self.smtp_user or "")
            )
            or (vals.get("disable_tls") and not self.disable_tls)
        )

    def _forget_passwords(self, vals):
        moved = self.filtered(lambda a: a._forgets_password(vals))
        if moved:
            # sudo: the column is closed to everybody
            moved.sudo().smtp_secret = False

    # ------------------------------------------------------------------
    # Connection
    # ------------------------------------------------------------------

    @api.model
    def _get_guard(self):
        """What the administrator lets this database connect to."""
        # sudo: a system parameter
        allowed = (
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("user_email_alias.allowed_targets")
        )
        try:
            return guard.Guard(allowed or "")
        except ValueError as error:
            _logger.error("user_email_alias.allowed_targets: %s", error)
            return guard.Guard("")

    @api.model
    def _get_local_hostname(self):
        """The name we greet a mail server with (RFC 5321 4.1.1.1)."""
        # sudo: a system parameter
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
        host = urllib.parse.urlsplit(base).hostname or ""
        return host if "." in host and host.isascii() else "[127.0.0.1]"

    def _connect_to__(self, server, disable_tls=False):
        """Connect without logging in.

        :param server: ``host:port``
        :param disable_tls: talk in clear text, which only a password's owner may want
        :raise smtp.SmtpFailure: with phase and outcome
        """
        return smtp.SmtpConnection.open(
            address.parse_server(server),
            self._get_guard(),
            disable_tls=disable_tls,
            local_hostname=self._get_local_hostname(),
        )

    def _open_connection__(self):
        """Connect and log in.

        :return: a :class:`smtp.SmtpConnection` ready for a submission
        :raise smtp.SmtpFailure: with phase and outcome
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
        connection = self._connect_to__(self.smtp_server, self.disable_tls)
        try:
            if self.smtp_user:
                connection.login_password(self.smtp_user, secret or "")
        except BaseException:
            connection.close()
            raise
        return connection

    def _test_connection__(self):
        """Go all the way up to MAIL FROM.

        :raise UserError: one plain sentence that says what to change
        """
        self.ensure_one()
        try:
            connection = self._open_connection__()
            try:
                connection.check_sender(address.mailbox_to_ascii(self.email_from))
            finally:
                connection.close()
        except (smtp.SmtpFailure, AliasHold, AliasRetry) as error:
            raise UserError(self._explain(error)) from None
        return self.env._("Status: OK")

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

    # ------------------------------------------------------------------
    # State
    # ------------------------------------------------------------------

    def _set_verified(self):
        self.sudo().write(
            {
                "state": "ok",
                "state_message": False,
                "state_at": fields.Datetime.now(),
                "hold_reason": False,
                "backoff_until": 0,
                "backoff_count": 0,
            }
        )
        self.env["user.email.alias.queue"]._trigger_cron()

    def _set_hold(self, reason, message):
        """Stop the lane until the owner acts; whatever waits keeps waiting."""
        self.sudo().write(
            {
                "state": "hold",
                "hold_reason": reason,
                "state_message": message,
                "state_at": fields.Datetime.now(),
            }
        )

    def _notify_owner(self, message):
        """Tell the owner at once, wherever in Odoo they are."""
        for alias in self:
            alias.user_id._bus_send(
                "user_email_alias/trouble",
                {
                    "alias_id": alias.id,
                    "title": self.env._("Email alias %s", alias.display_name),
                    "message": message,
                },
            )

    def _reset_state(self):
        self.sudo().write(
            {
                "state": "draft",
                "state_message": False,
                "hold_reason": False,
                "backoff_until": 0,
                "backoff_count": 0,
            }
        )
        self.env["user.email.alias.queue"]._trigger_cron()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_test_connection(self):
        """Connect, log in, check the sender; tell the outcome in one sentence."""
        self.ensure_one()
        self._check_owner()
        started = time.monotonic()
        try:
            message = self._test_connection__()
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
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_resume(self):
        """Take the alias off hold; its waiting mail leaves by itself."""
        self._check_owner()
        self._reset_state()

    def action_pause(self):
        """Keep all waiting mail until the owner resumes."""
        self._check_owner()
        # sudo: the state is written by the server only
        self.sudo().is_paused = True

    def action_unpause(self):
        self._check_owner()
        # sudo: the state is written by the server only
        self.sudo().is_paused = False
        self.env["user.email.alias.queue"]._trigger_cron()

    def action_cancel_waiting(self):
        """Ask first: how many emails would never leave."""
        self.ensure_one()
        self._check_owner()
        return self.env["user.email.alias.cancel"]._ask(alias=self)

    def action_make_default(self):
        self.ensure_one()
        self.is_default = True

    def action_view_log(self):
        """Open the log of what was submitted with this alias."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_log_action"
        )
        action["domain"] = [("alias_id", "=", self.id)]
        return action

    def action_view_waiting(self):
        """Open what has not left yet."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_waiting_action"
        )
        action["domain"] = [("alias_id", "=", self.id)]
        return action

    def action_view_uncertain(self):
        """Open what the owner has to decide on."""
        action = self.action_view_log()
        action["context"] = {"search_default_uncertain": 1}
        return action

    @api.model
    def action_open_mine(self):
        """The card screen of the user who asks."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_action"
        )

    def _format_moment(self, moment):
        """A time of the epoch as the owner reads it: time of day, day if not today."""
        self.ensure_one()
        zone = pytz.timezone(self.user_id.tz or "UTC")
        local = datetime.fromtimestamp(moment, zone)
        lang = {"lang_code": self.user_id.lang or self.env.lang}
        if local.date() == datetime.now(zone).date():
            return tools.format_time(
                self.env, local.time(), time_format="short", **lang
            )
        return tools.format_datetime(
            self.env,
            local.astimezone(pytz.utc).replace(tzinfo=None),
            tz=zone.zone,
            dt_format="short",
            **lang,
        )

    def _get_pause(self):
        """Seconds between a bulk email's reply and the next one's start."""
        self.ensure_one()
        return max(self.delay_ms, self.pause_ms) / 1000.0

    def _get_forecast(self, count):
        """When ``count`` more bulk emails will have left.

        :rtype: odoo.addons.user_email_alias.sending.forecast.Forecast
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                """
                SELECT extract(epoch FROM clock_timestamp()),
                       (SELECT avg(replied_at - claimed_at) FROM (
                           SELECT replied_at, claimed_at
                             FROM user_email_alias_log
                            WHERE alias_id = %(id)s AND is_bulk AND outcome = 'sent'
                            ORDER BY id DESC LIMIT 20) last),
                       (SELECT count(*) FROM user_email_alias_log
                         WHERE alias_id = %(id)s AND outcome IN ('sent', 'uncertain')
                           AND replied_at > extract(epoch FROM clock_timestamp())
                                            - 86400)
                """,
                id=self.id or None,
            )
        )
        now, service, sent = self.env.cr.fetchone()
        return Forecast(
            count=count,
            now=float(now),
            period=self._get_pause() + float(service or DEFAULT_SERVICE_SECONDS),
            daily_limit=self.daily_limit,
            sent_today=sent,
            starts_at=max(float(now), self.backoff_until or 0.0),
        )

    @api.model
    def _now(self):
        """The database's clock in seconds since the epoch: one for all hosts."""
        self.env.cr.execute(SQL("SELECT extract(epoch FROM clock_timestamp())"))
        return float(self.env.cr.fetchone()[0])
