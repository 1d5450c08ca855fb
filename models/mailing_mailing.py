from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from .queue_sql import PAUSED_SECONDS

# What the recipients get to see: with somebody's alias only they may change it once
# the mailing is on its way.
CONTENT_FIELDS = frozenset(
    (
        "attachment_ids",
        "body_arch",
        "body_html",
        "contact_list_ids",
        "email_alias_id",
        "mailing_domain",
        "mailing_model_id",
        "preview",
        "reply_to",
        "reply_to_mode",
        "subject",
        "user_id",
    )
)


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "E-mail Alias",
        default=lambda self: self.env["user.email.alias"]._get_default(self.env.user),
        domain="[('user_id', '=', uid)]",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        help="The e-mail alias this mailing leaves by, at the alias's own pace. "
        "Without one Odoo's own outgoing mail server sends it.",
    )
    has_email_alias = fields.Boolean(compute="_compute_has_email_alias")

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        self.has_email_alias = self.env["user.email.alias"]._has_own()

    email_alias_is_paused = fields.Boolean("Paused", readonly=True, copy=False)
    email_alias_forecast = fields.Char(compute="_compute_email_alias_forecast")
    email_alias_waiting = fields.Integer(compute="_compute_email_alias_progress")
    email_alias_total = fields.Integer(compute="_compute_email_alias_progress")
    email_alias_progress = fields.Char(compute="_compute_email_alias_progress")

    @api.depends_context("tz", "lang")
    @api.depends("email_alias_id", "mailing_domain", "contact_list_ids", "state")
    def _compute_email_alias_forecast(self):
        """What the alias's pace means for this mailing, before it is sent."""
        for mailing in self:
            # sudo: the pace of a mailing's alias is read with the mailing
            alias_sudo = mailing.sudo().email_alias_id
            mailing.email_alias_forecast = False
            if alias_sudo and mailing.state == "draft" and mailing.mailing_model_id:
                count = mailing._email_alias_count_recipients()
                if count:
                    ahead = alias_sudo.waiting_count
                    mailing.email_alias_forecast = alias_sudo._get_forecast(
                        count + ahead
                    ).describe(alias_sudo)

    def _email_alias_count_recipients(self):
        self.ensure_one()
        domain = self._get_recipients_domain()
        return self.env[self.mailing_model_real].search_count(domain)

    @api.depends_context("tz", "lang")
    @api.depends("email_alias_id", "state")
    def _compute_email_alias_progress(self):
        for mailing in self:
            figures = mailing._email_alias_get_figures()
            mailing.email_alias_waiting = figures["waiting"]
            mailing.email_alias_total = figures["total"]
            mailing.email_alias_progress = figures["text"]

    def _email_alias_get_figures(self):
        """How far the mailing is, from its traces: it is "done" long before.

        :return: dict of total, waiting, sent, failed, percent, paused, text
        """
        self.ensure_one()
        # sudo: the figures of a mailing are read with the mailing
        alias_sudo = self.sudo().email_alias_id
        counts = {}
        if alias_sudo and isinstance(self.id, int):
            counts = dict(
                self.env["mailing.trace"]
                .sudo()
                ._read_group(
                    [("mass_mailing_id", "=", self.id)], ["trace_status"], ["__count"]
                )
            )
        cancelled = counts.pop("cancel", 0)
        waiting = counts.get("outgoing", 0) + counts.get("process", 0)
        failed = counts.get("error", 0)
        total = sum(counts.values())
        text = False
        if waiting:
            text = alias_sudo._get_forecast(waiting).describe_rest(alias_sudo)
            if self.email_alias_is_paused:
                text = self.env._("%s waiting, paused", f"{waiting:,}")
        return {
            "total": total,
            "waiting": waiting,
            "sent": total - waiting - failed,
            "failed": failed,
            "cancelled": cancelled,
            "percent": round(100 * (total - waiting) / total) if total else 0,
            "paused": self.email_alias_is_paused,
            "text": text,
        }

    def email_alias_read_progress(self):
        """What the progress bar of the form asks for while it runs."""
        self.ensure_one()
        self.check_access("read")
        return self._email_alias_get_figures()

    def action_email_alias_pause(self):
        """Keep the mailing's waiting mail; others of the alias go on."""
        self._email_alias_shift(True)

    def action_email_alias_resume(self):
        self._email_alias_shift(False)

    def _email_alias_shift(self, is_paused):
        """Move the waiting mail out of the queue's way, or back."""
        for mailing in self:
            # sudo: whose alias it is decides, whatever may be read
            mailing.sudo().email_alias_id.sudo(False)._check_owner()
            if mailing.email_alias_is_paused == is_paused:
                continue
            # sudo: written by these two actions only
            mailing.sudo().email_alias_is_paused = is_paused
            mailing.flush_recordset(["email_alias_is_paused"])
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE mail_mail SET email_alias_due = email_alias_due + %s
                     WHERE mailing_id = %s AND state = 'outgoing'
                       AND email_alias_id IS NOT NULL
                       AND (email_alias_due < %s) = %s
                    """,
                    PAUSED_SECONDS if is_paused else -PAUSED_SECONDS,
                    mailing.id,
                    PAUSED_SECONDS,
                    is_paused,
                )
            )
            self.env["mail.mail"].invalidate_model(["email_alias_due"])
        self.env["user.email.alias.queue"]._wake()

    def action_email_alias_cancel(self):
        """Ask first: how many e-mails would never leave."""
        self.ensure_one()
        return self.env["user.email.alias.cancel"]._ask(mailing=self)

    @api.depends("email_alias_id")
    def _compute_email_from(self):
        """Extend: with an alias the alias is the From."""
        # sudo: the From of a mailing is read with the mailing
        with_alias = self.filtered(lambda m: m.sudo().email_alias_id)
        for mailing in with_alias:
            alias_sudo = mailing.sudo().email_alias_id
            mailing.email_from = alias_sudo._get_formatted_from()
        rest = self - with_alias
        for mailing in rest:
            before = mailing._origin.sudo().email_alias_id
            if before and mailing.email_from == before._get_formatted_from():
                mailing.email_from = False
        super(MailingMailing, rest)._compute_email_from()

    @api.constrains("email_alias_id", "user_id")
    def _check_email_alias_owner(self):
        for mailing in self:
            # sudo: whose alias it is decides, whatever may be read
            owner = mailing.sudo().email_alias_id.user_id
            if owner and mailing.user_id != owner:
                raise ValidationError(
                    self.env._(
                        "The From alias belongs to %(owner)s: make them responsible "
                        "for the mailing, or choose another From.",
                        owner=owner.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Restrict: only the owner sends with an alias."""
        for vals in vals_list:
            self._check_email_alias_vals(vals)
            if vals.get("user_id", self.env.uid) != self.env.uid:
                # the default From is the creator's own, not the responsible's
                vals.setdefault("email_alias_id", False)
        return super().create(vals_list)

    def write(self, vals):
        """Restrict: only the owner sends with an alias."""
        self._check_email_alias_vals(vals)
        if vals.get("state") in ("in_queue", "sending"):
            self._check_email_alias_sender()
        elif not CONTENT_FIELDS.isdisjoint(vals):
            self.filtered(lambda m: m.state != "draft")._check_email_alias_sender()
        return super().write(vals)

    def _check_email_alias_vals(self, vals):
        if vals.get("email_alias_id"):
            self.env["user.email.alias"].browse(vals["email_alias_id"])._check_owner()

    def _check_email_alias_sender(self):
        """Only the alias's owner sets a mailing off; the cron goes on for them.

        :raise AccessError: the alias belongs to somebody else
        """
        for mailing in self:
            # sudo: whose alias it is decides, whatever may be read
            alias_sudo = mailing.sudo().email_alias_id
            if not alias_sudo:
                continue
            if self.env.uid == api.SUPERUSER_ID:
                if alias_sudo.user_id != mailing.user_id:
                    raise AccessError(
                        self.env._("The mailing's From belongs to somebody else.")
                    )
            else:
                alias_sudo.sudo(False)._check_owner()

    def _action_send_mail(self, res_ids=None):
        """Restrict: only the owner sends with an alias."""
        self._check_email_alias_sender()
        return super()._action_send_mail(res_ids)
