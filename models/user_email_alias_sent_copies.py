import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, str2bool

from ..exceptions import MailboxClosed
from ..sending.sent_copies import file_due_copies
from ..tools import address, guard, imap, vault
from ..tools.imap import failure as imap_failure

_logger = logging.getLogger(__name__)

# The system parameter that says whether users may name a mailbox of their own.
OWN_IMAP = "user_email_alias.own_imap"

# Why there is no conversation with a mailbox; each says it in one sentence.
IMAP_ERRORS = (
    MailboxClosed,
    imap_failure.ImapFailure,
    vault.VaultError,
    address.AddressError,
)

# Fields whose change may mend an account that gets copies.
MAILBOX_FIELDS = {"disable_tls", "imap_mailbox_id", "imap_password", "imap_server"}
MAILBOX_FIELDS |= {"imap_server_id", "imap_user", "smtp_password", "smtp_user"}


class UserEmailAliasSentCopies(models.AbstractModel):
    """Where the copies of what was sent go: apart from sending, and after it."""

    _name = "user.email.alias.sent.copies"
    _description = "Email Alias: Sent Copies"

    imap_server_id = fields.Many2one(
        "fetchmail.server",
        "Incoming Mail Server",
        ondelete="set null",
        copy=False,
        help="Emails sent with this alias also appear in the Sent Items of this "
        "incoming account.",
    )
    imap_mailbox_id = fields.Many2one(
        "user.email.alias.mailbox",
        "IMAP Server",
        compute="_compute_imap_mailbox_id",
        inverse="_inverse_imap_mailbox_id",
        help="Emails sent with this alias also appear in the Sent Items of this "
        "incoming account.",
    )
    imap_server = fields.Char(
        "IMAP Server:Port",
        help="Your own mailbox, for example imap.myserver.com:993. It receives copies "
        "of what you send; nothing is fetched from it but the header of a test mail.",
    )
    imap_user = fields.Char(
        "IMAP User Name", help="Leave it empty to use the SMTP User Name and Password."
    )
    files_copies = fields.Boolean(
        "File Copies",
        default=True,
        help="Switch it off where the provider keeps a copy of each email by itself.",
    )
    has_own_imap = fields.Boolean(compute="_compute_has_own_imap")
    is_own_imap = fields.Boolean(
        "A Server of My Own", compute="_compute_is_own_imap", readonly=False
    )
    has_sent_copies = fields.Boolean(
        compute="_compute_copies",
        store=True,
        help="Whether the lane keeps the bytes of what it sends for the Sent folder.",
    )
    sent_copy_waiting_count = fields.Integer(compute="_compute_copy_counts")
    sent_copy_failed_count = fields.Integer(compute="_compute_copy_counts")
    sent_copy_error = fields.Char(
        "Why Copies Wait or Failed", compute="_compute_sent_copy_error"
    )

    @api.depends(
        "files_copies", "provider", "imap_server", "imap_server_id.server_type"
    )
    def _compute_copies(self):
        for alias in self:
            alias.has_sent_copies = alias._wants_copies()

    @api.depends("imap_server_id")
    def _compute_imap_mailbox_id(self):
        Mailbox = self.env["user.email.alias.mailbox"]
        for alias in self:
            # sudo: the name of the incoming server, nothing else of it
            alias.imap_mailbox_id = Mailbox.browse(alias.sudo().imap_server_id.id)

    def _inverse_imap_mailbox_id(self):
        for alias in self:
            alias.imap_server_id = alias.imap_mailbox_id.id

    @api.depends("imap_server", "imap_server_id")
    def _compute_is_own_imap(self):
        for alias in self:
            alias.is_own_imap = bool(alias.imap_server and not alias.imap_mailbox_id)

    def _compute_has_own_imap(self):
        self.has_own_imap = self._is_own_imap_allowed()

    @api.model
    def _is_own_imap_allowed(self):
        """Whether users may name a mailbox of their own for the copies."""
        allowed = self.env["ir.config_parameter"]._email_alias_get(OWN_IMAP)
        return str2bool(allowed or "True", True)

    @api.model
    def _allow_own_imap(self, is_allowed):
        self.env["ir.config_parameter"]._email_alias_set(OWN_IMAP, str(is_allowed))

    @api.model
    def _follow_own_imap(self, names):
        """Start or end copies where the administrator's switch decides on them.

        :param names: the system parameters that were set or removed
        """
        if OWN_IMAP not in names:
            return
        # sudo: aliases of all users; the caller may set system parameters
        aliases_sudo = self.sudo().with_context(active_test=False)
        aliases_sudo = aliases_sudo.search([("imap_server", "!=", False)])
        self.env.add_to_compute(self._fields["has_sent_copies"], aliases_sudo)
        aliases_sudo._retry_copies()

    def _compute_copy_counts(self):
        counts = {
            (alias.id, state): count
            for alias, state, count in self.env["user.email.alias.log"]._read_group(
                [
                    ("alias_id", "in", self.ids),
                    ("sent_copy_state", "in", ("waiting", "failed")),
                ],
                ["alias_id", "sent_copy_state"],
                ["__count"],
            )
        }
        for alias in self:
            alias.sent_copy_waiting_count = counts.get((alias.id, "waiting"), 0)
            alias.sent_copy_failed_count = counts.get((alias.id, "failed"), 0)

    def _compute_sent_copy_error(self):
        """The newest reason; what waits comes before what failed.

        In SQL because the ORM cannot read the first row of each group.
        """
        Log = self.env["user.email.alias.log"]
        Log.flush_model(["alias_id", "sent_copy_error", "sent_copy_state"])
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT ON (alias_id) alias_id, sent_copy_error
                  FROM user_email_alias_log
                 WHERE alias_id = ANY(%s) AND sent_copy_error IS NOT NULL
                   AND sent_copy_state IN ('waiting', 'failed')
                 ORDER BY alias_id, sent_copy_state DESC, id DESC
                """,
                self.ids,
            )
        )
        errors = dict(self.env.cr.fetchall())
        for alias in self:
            alias.sent_copy_error = errors.get(alias.id, False)

    @api.constrains("imap_server_id", "user_id")
    def _check_imap_server_id(self):
        for alias in self:
            # sudo: which users may use an incoming server is not for everybody
            server_sudo = alias.sudo().imap_server_id
            if server_sudo and alias.user_id not in server_sudo.email_alias_user_ids:
                raise AccessError(
                    self.env._(
                        "%(user)s may not file sent mail in this IMAP server: an "
                        "administrator allows it on the incoming mail server.",
                        user=alias.user_id.name,
                    )
                )

    def _forget_mailbox(self, vals):
        """Another mailbox has other folders, and gets no old password."""
        if not vals.get("imap_password") and (
            "imap_user" in vals or "imap_server" in vals
        ):
            moved = self.filtered(
                lambda a: (
                    vals.get("imap_server", a.imap_server) != a.imap_server
                    or vals.get("imap_user", a.imap_user) != a.imap_user
                )
            )
            # sudo: the column is closed to everybody
            moved.sudo().write({"imap_secret": False, "imap_folder": False})
        if vals.get("disable_tls") and not vals.get("imap_password"):
            # sudo: the column is closed to everybody
            self.filtered(lambda a: not a.disable_tls).sudo().imap_secret = False
        for alias in self:
            alias._check_smtp_password_stays(vals)
        if {"imap_server_id", "imap_mailbox_id"} & vals.keys():
            # sudo: written by the server only
            self.sudo().write({"imap_folder": False})

    def _follow_mailbox(self, vals):
        """File what waits if ``vals`` may have mended the account."""
        if MAILBOX_FIELDS & vals.keys():
            self._retry_copies()

    def _retry_copies(self):
        """File at once what waits: the account was mended, or its owner asks."""
        rows_sudo = self.env["user.email.alias.log"].sudo()
        rows_sudo = rows_sudo.search(
            [
                ("alias_id", "in", self.ids),
                "|",
                ("sent_copy_state", "=", "waiting"),
                "&",
                ("outcome", "=", "uncertain"),
                ("sent_copy_attempts", ">", 0),
            ]
        )
        if rows_sudo:
            rows_sudo.write(
                {
                    "sent_copy_due": fields.Datetime.now(),
                    "sent_copy_attempts": 0,
                    "is_sent_copy_told": False,
                }
            )
            rows_sudo.flush_recordset()
            # in SQL: the ORM writes 0 for no number, a moment that is long ago
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE user_email_alias_log SET sent_copy_first_at = NULL
                     WHERE id = ANY(%s)
                    """,
                    rows_sudo.ids,
                )
            )
            rows_sudo.invalidate_recordset(["sent_copy_first_at"])
            self._trigger_sent_copies()

    def _check_smtp_password_stays(self, vals):
        """Let nobody read the SMTP password back at an IMAP server of their own.

        :raise ValidationError: another server would get it, and it does not come along
        """
        self.ensure_one()
        if self.env.su or not self.has_smtp_password or vals.get("smtp_password"):
            return
        if self._moves_smtp_password(vals):
            self._raise_invalid(
                "imap_server",
                self.env._(
                    "Enter the SMTP Password once more, as this server would get it; "
                    "or give the mailbox a user name and password of its own."
                ),
            )

    def _moves_smtp_password(self, vals):
        """Whether ``vals`` let another server have the SMTP password for the copies."""
        self.ensure_one()
        before = self._get_smtp_password_keeper(self.imap_server, self.imap_user)
        after = self._get_smtp_password_keeper(
            vals.get("imap_server", self.imap_server),
            vals.get("imap_user", self.imap_user),
        )
        return bool(after and after != before)

    @api.model
    def _get_smtp_password_keeper(self, imap_server, imap_user):
        """The server that gets the SMTP password to file copies; or None."""
        if not imap_server or imap_user:
            return None
        return str(address.parse_server(imap_server, default_port=address.IMAP_PORT))

    def _has_mailbox(self):
        """Whether we file copies: providers that do so themselves need none."""
        self.ensure_one()
        if self.provider != "smtp":
            return False
        # sudo: the kind of the incoming server
        server_sudo = self.sudo().imap_server_id
        if server_sudo:
            return not server_sudo._email_alias_files_by_itself()
        return bool(self.imap_server)

    def _wants_copies(self):
        """Whether the copies of what is sent now are kept to be filed."""
        # sudo: which kind of mailbox it is
        is_own = not self.sudo().imap_server_id
        if not self.files_copies:
            return False
        return self._has_mailbox() and (not is_own or self._is_own_imap_allowed())

    def _get_imap_account__(self):
        """The mailbox that receives the copies, with its password in clear.

        Whether the owner may file mail there is asked each time it is used.

        :return: a :class:`imap.ImapAccount`, which needs no database any more
        :raise MailboxClosed, imap_failure.ImapFailure, vault.VaultError,
            address.AddressError: one sentence says why there is none
        """
        self.ensure_one()
        self._check_mailbox_open()
        # sudo: login data of an incoming server this user may file mail in
        server_sudo = self.sudo().imap_server_id
        if server_sudo:
            target = address.parse_server(f"{server_sudo.server}:{server_sudo.port}")
            return imap.ImapAccount(
                target,
                # the administrator chose this host
                guard.Guard(str(target)),
                server_sudo.user or "",
                server_sudo.password or "",
                disable_tls=not server_sudo.is_ssl,
                implicit_tls_ports=frozenset({server_sudo.port}),
            )
        if self.imap_user:
            user, secret = self.imap_user, self._read_secret__("imap_secret")
        else:
            user, secret = self.smtp_user, self._read_secret__("smtp_secret")
        return imap.ImapAccount(
            address.parse_server(
                self.imap_server or "", default_port=address.IMAP_PORT
            ),
            self._get_guard(),
            user or "",
            secret or "",
            disable_tls=self.disable_tls,
        )

    def _test_connection__(self, deadline):
        """Extend: store a copy, and say where they go or why they do not."""
        message = super()._test_connection__(deadline)
        if not self._wants_copies():
            return message
        try:
            with self._get_imap_account__().open(deadline) as connection:
                folder = connection.find_sent_folder(self._get_imap_folder(), True)
                is_clean = connection.prove_filing(folder)
        except IMAP_ERRORS as failure:
            raise UserError(
                self.env._("Sending works, but filing the copies does not: %s", failure)
            ) from None
        self._remember_folder(folder)
        message = self.env._(
            "%(message)s. Copies go to the folder “%(folder)s”.",
            message=message,
            folder=folder.path,
        )
        if is_clean:
            return message
        return self.env._(
            "%s A message “Connection test” could not be removed from it: delete it.",
            message,
        )

    @api.model
    def _trigger_sent_copies(self):
        # sudo: waking the job is part of sending
        self.env.ref("user_email_alias.ir_cron_file_copies").sudo()._trigger()

    @api.model
    def _cron_file_copies(self):
        """File what waits, one connection for each account."""
        if not self.env["user.email.alias.queue"]._is_stopped():
            file_due_copies(self.env)
