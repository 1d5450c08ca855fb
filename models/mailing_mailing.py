from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

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
