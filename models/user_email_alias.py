from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import redact
from ..tools.deadline import BUTTON_SECONDS, Deadline
from .user_email_alias_credentials import PASSWORD_BOUND_FIELDS
from .user_email_alias_default import ABILITY_FIELDS
from .user_email_alias_validation import DELAY_MAX_MS

redact.withhold_parameters(
    ("smtp_password", "imap_password", "client_secret", "organisation_key")
)

# Written by the server alone: a user who could would fake a proof or a sign-in.
SERVER_FIELDS = frozenset(
    (
        "backoff_count",
        "backoff_is_quota",
        "backoff_until",
        "claimed_at",
        "connection_mails",
        "connection_mails_at",
        "domain_checked",
        "domain_checked_at",
        "domain_findings",
        "has_sent_copies",
        "has_smtp_road",
        "hold_reason",
        "imap_folder",
        "imap_secret",
        "is_default_wanted",
        "is_paused",
        "max_bytes",
        "oauth_addresses",
        "oauth_identity",
        "oauth_mailbox",
        "oauth_permissions",
        "oauth_pending_secret",
        "oauth_pending_user",
        "oauth_refreshed_at",
        "oauth_secret",
        "oauth_server",
        "oauth_smtp_server",
        "oauth_tried_at",
        "oauth_user",
        "pause_ms",
        "pause_reason",
        "provider",
        "released_at",
        "smtp_secret",
        "state",
        "state_at",
        "state_message",
        "test_mail",
        "transport",
    )
)

# Changing one of these means that the account has to prove itself again.
ACCOUNT_FIELDS = (*PASSWORD_BOUND_FIELDS, "smtp_password", "email_from", "provider")


class UserEmailAlias(models.Model):
    """The outgoing account of one user: who, through which server, how fast.

    Its parts extend each other in the order in which they stand here: what an account
    at a provider does differently comes before the login with a password.
    """

    _name = "user.email.alias"
    _description = "Email Alias"
    _inherit = [
        "user.email.alias.validation",
        "user.email.alias.sender",
        "user.email.alias.default",
        "user.email.alias.presence",
        "user.email.alias.address",
        "user.email.alias.proposal",
        "user.email.alias.picked",
        "user.email.alias.signature",
        "user.email.alias.answers",
        "user.email.alias.state",
        "user.email.alias.owner",
        "user.email.alias.stale",
        "user.email.alias.key",
        "user.email.alias.pace",
        "user.email.alias.permission",
        "user.email.alias.limits",
        "user.email.alias.figures",
        "user.email.alias.why",
        "user.email.alias.audit",
        "user.email.alias.home",
        "user.email.alias.web.client",
        "user.email.alias.domain",
        "user.email.alias.sent.copies",
        "user.email.alias.self.filing",
        "user.email.alias.large.attachments",
        "user.email.alias.sent.folder",
        "user.email.alias.organisation",
        "user.email.alias.sign.in",
        "user.email.alias.sign.out",
        "user.email.alias.shared.from",
        "user.email.alias.other.account",
        "user.email.alias.abandoned",
        "user.email.alias.oauth.login",
        "user.email.alias.oauth.token",
        "user.email.alias.keep.alive",
        "user.email.alias.test.mail",
        "user.email.alias.connection",
        "user.email.alias.discovery",
        "user.email.alias.credentials",
        "user.email.alias.secrets",
    ]
    _order = "is_default desc, name, id"
    _rec_names_search = ["name", "alias_name", "email_from"]

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
        f"CHECK(delay_ms >= 0 AND delay_ms <= {DELAY_MAX_MS})",
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

    @api.depends_context("uid")
    @api.depends("user_id")
    def _compute_is_mine(self):
        for alias in self:
            alias.is_mine = alias.user_id == self.env.user

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: check what was typed, and let the owner's screens know."""
        vals_list = [self._clean_vals(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_vals(vals)
            if vals.get("name"):
                given = vals.get("user_id") or self.default_get(["user_id"])["user_id"]
                owner_id = given or self.env.uid
                self._check_may_create_for(owner_id)
                self._check_name_free(vals["name"], owner_id)
        vals_list = [
            self._claim_address(self._complete_vals(vals)) for vals in vals_list
        ]
        self._assign_defaults(vals_list)
        aliases = super().create(vals_list)
        # what came as a default counts, too
        if joined_sudo := aliases._check_organisation():
            joined_sudo._follow_organisation({"organisation": True}, joined_sudo)
        aliases._record_event("created")
        aliases.user_id._email_alias_notify_web_client()
        self._forget_presence()
        return aliases

    @api.model
    def default_get(self, fields_list):
        """Restrict: no default, of a context or stored, fills a closed column."""
        values = super().default_get(fields_list)
        return {
            fname: value
            for fname, value in values.items()
            if self._fields[fname].groups != fields.NO_ACCESS
        }

    def write(self, vals):
        """Extend: check what was typed, forget what belongs elsewhere, follow up."""
        # first of all: what is wrong with a value would tell of somebody else's alias
        self.check_access("write")
        vals = self._clean_vals(vals)
        self._check_vals(vals)
        self._check_server_fields(vals)
        self._check_owner_stays(vals)
        joined_sudo = self._check_organisation(vals)
        self._record_change(vals)
        self._check_identity(vals)
        vals = self._claim_address(vals)
        if vals.get("name"):
            for alias in self:
                alias._check_name_free(vals["name"], alias.user_id.id)
        self._forget_mailbox(vals)
        self._forget_passwords(vals)
        kept = self._unbind_secrets__(vals)
        wish = vals.pop("is_default", None)
        is_ability_touched = wish is not None or not ABILITY_FIELDS.isdisjoint(vals)
        able = self.filtered(lambda a: is_ability_touched and a._can_be_default())
        if vals.get("active") is False:
            vals["is_default"] = False
        result = super().write(vals)
        self._bind_secrets__(kept)
        if is_ability_touched:
            self._follow_default(able, wish)
        if any(fname in vals for fname in ACCOUNT_FIELDS):
            self._reset_state()
            self._forget_test_mail()
        if "daily_limit" in vals:
            self._end_limit_wait()
        if vals.get("active") or {"delay_ms", "daily_limit"} & vals.keys():
            self._wake()
        self._follow_organisation(vals, joined_sudo)
        self._follow_mailbox(vals)
        self._follow_in_web_client(vals)
        if "active" in vals or "email_from" in vals:
            self._forget_presence()
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
            later = len(self.env["mail.scheduled.message"]._email_alias_of(alias))
            if left or later:
                raise UserError(
                    self.env._(
                        "“%(alias)s” still has %(waiting)s waiting and %(failed)s "
                        "failed or cancelled emails and %(later)s scheduled messages, "
                        "which can leave by no other way. Archive the alias instead, "
                        "or deal with these first.",
                        alias=alias.display_name,
                        waiting=left.pop("outgoing", 0),
                        failed=sum(left.values()),
                        later=later,
                    )
                )

    def unlink(self):
        """Extend: nothing of the alias stays behind."""
        self.check_access("unlink")
        consents = self._get_consents__()
        self._record_event("deleted")
        owners, owners_of_default = self.user_id, self.filtered("is_default").user_id
        self._release_mailings()
        # sudo: rows of the technical queue that are done with
        self.env["mail.mail"].sudo().search(
            [("email_alias_id", "in", self.ids), ("state", "=", "sent")]
        ).write({"email_alias_id": False})
        result = super().unlink()
        for owner in owners_of_default:
            self._next_default(owner)._set_default(True)
        deadline = Deadline(BUTTON_SECONDS)
        for consent in consents:
            self._revoke__(*consent, deadline)
        owners._email_alias_notify_web_client()
        self._forget_presence()
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
        """Extend: the copy is its owner's, with a Description of its own."""
        vals_list = super().copy_data(default=default)
        for alias, vals in zip(self, vals_list, strict=True):
            vals["user_id"] = alias.user_id.id
            if alias.name and "name" not in (default or {}):
                vals["name"] = alias._get_copy_name()
        return vals_list

    @api.model
    def _get_server_fields(self):
        return SERVER_FIELDS

    def _check_server_fields(self, vals):
        if not self.env.su and not SERVER_FIELDS.isdisjoint(vals):
            raise AccessError(
                self.env._("The state of an email alias is set by the server only.")
            )

    def _check_owner_stays(self, vals):
        if "user_id" in vals and any(a.user_id.id != vals["user_id"] for a in self):
            raise UserError(
                self.env._(
                    "An alias stays with its user. Create a new one for the other user."
                )
            )

    @api.model
    def _complete_vals(self, vals):
        """Name outright what no default from outside may decide."""
        self._check_server_fields(vals)
        return {
            **{
                fname: False
                for fname in SERVER_FIELDS
                # to name one of the others is refused to whoever is not the system
                if self._fields[fname].groups != fields.NO_ACCESS
            },
            "provider": "smtp",
            "transport": "smtp",
            "state": "draft",
            "active": True,
            "user_id": self.default_get(["user_id"]).get("user_id"),
            **vals,
        }

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_make_default(self):
        self.ensure_one()
        self.is_default = True

    @api.model
    def action_open_mine(self):
        """The card screen of the user who asks."""
        self.check_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id(
            "user_email_alias.user_email_alias_action"
        )
