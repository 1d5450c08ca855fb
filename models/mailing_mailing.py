from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .user_email_alias_counted import RECIPIENT_FIELDS
from .user_email_alias_mail_outcome import UNCERTAIN
from .user_email_alias_seal import SEAL_FIELDS

# Once a mailing with somebody's alias is on its way, others may change these only.
FREE_FIELDS = frozenset(("favorite", "favorite_date"))

# Written by the server alone.
SERVER_FIELDS = frozenset(("email_alias_is_notified", "email_alias_is_paused"))

# What core writes to make a queued mailing a draft again; anybody may stop it so.
STOP_FIELDS = frozenset(("state", "schedule_date", "schedule_type", "next_departure"))


class MailingMailing(models.Model):
    _name = "mailing.mailing"
    _inherit = [
        "mailing.mailing",
        "user.email.alias.mailing",
        "user.email.alias.seal",
        "user.email.alias.counted",
    ]

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        default=lambda self: self._default_email_alias_id(),
        domain="[('user_id', '=', uid)]",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The email alias this mailing leaves by, at the alias's own pace. "
        "Without one Odoo's own outgoing mail server sends it.",
    )
    has_email_alias = fields.Boolean(compute="_compute_has_email_alias")

    @api.model
    def _default_email_alias_id(self):
        """Propose one to a person; what code makes by itself has none."""
        Alias = self.env["user.email.alias"]
        mailing_type = self.env.context.get("default_mailing_type", "mail")
        if not self.env.context.get("email_alias_person") or mailing_type != "mail":
            return Alias
        return Alias._get_default(self.env.user)

    @api.onchange("mailing_type")
    def _onchange_mailing_type_email_alias(self):
        """Text messages leave by no email alias."""
        if self.mailing_type != "mail":
            self.email_alias_id = False

    def onchange(self, values, field_names, fields_spec):
        """Extend: a person has opened the form, and is proposed an alias."""
        person = self.with_context(email_alias_person=True)
        return super(MailingMailing, person).onchange(values, field_names, fields_spec)

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        self.has_email_alias = self.env["user.email.alias"]._has_own()

    @api.depends("email_alias_id")
    def _compute_email_from(self):
        """Extend: with an alias the alias is the From."""
        with_alias = self.filtered(lambda m: m._email_alias_shown())
        for mailing in with_alias:
            mailing.email_from = mailing._email_alias_shown()._get_formatted_from()
        rest = self - with_alias
        # sudo: what the From may have been before
        own_sudo = self.env["user.email.alias"].sudo()
        own_sudo = own_sudo.search([("user_id", "=", self.env.uid)])
        for mailing in rest:
            before_sudo = own_sudo | mailing._origin.sudo().email_alias_id
            if mailing.email_from in {a._get_formatted_from() for a in before_sudo}:
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
        vals_list = [self._email_alias_complete_vals(vals) for vals in vals_list]
        mailings = super().create(vals_list)
        queued = mailings.filtered(lambda m: m.state in ("in_queue", "sending"))
        own = queued._email_alias_own_sealed({"state": "in_queue"})
        own._email_alias_count_up()
        own._email_alias_seal_up()
        return mailings

    @api.model
    def _email_alias_complete_vals(self, vals):
        """Name the alias outright, so that a default is checked as well.

        The default alias is the creator's own: it fits no other responsible.
        """
        fnames = ("email_alias_id", "mailing_type", "user_id")
        named = [fname for fname in fnames if fname not in vals]
        full = {**self.default_get(named), **vals}
        is_email = full.get("mailing_type", "mail") == "mail"
        is_own = "email_alias_id" in vals or full.get("user_id") == self.env.uid
        if not is_email or not is_own:
            full["email_alias_id"] = False
        self._check_email_alias_vals(full)
        return full

    def write(self, vals):
        """Restrict: only the owner sends with an alias, and only emails."""
        vals = self._email_alias_for_emails_only(vals)
        self._check_email_alias_vals(vals)
        state = vals.get("state")
        if state in ("in_queue", "sending"):
            # a mailing that goes on is told again when it has ended
            vals = {**vals, "email_alias_is_notified": False}
            # OdooBot gives back what it may not send, see _action_send_mail
            if self.env.uid != api.SUPERUSER_ID:
                self._check_email_alias_usable()
        elif not self.env.su:
            self._check_email_alias_change(vals)
        sealed = self._email_alias_own_sealed(vals)
        counted = sealed
        if RECIPIENT_FIELDS.isdisjoint(vals):
            # what goes on goes to those it went to
            counted = sealed.filtered(lambda m: m.state == "draft")
        left = self.browse()
        if vals.get("email_alias_id") is False and "email_from" not in vals:
            # sudo: the From of a mailing is written with the mailing
            left = self.filtered(lambda m: m.sudo().email_alias_id)
        result = super().write(vals)
        for mailing in left:
            writer = mailing.create_uid or self.env.user
            mailing.email_from = writer.email_formatted or self.env.user.email_formatted
        if state == "done":
            self._email_alias_tell_left_out()
            self._email_alias_notify_finished()
        counted._email_alias_count_up()
        if state in ("in_queue", "sending"):
            (sealed - counted)._email_alias_queue_again()
        sealed._email_alias_seal_up()
        return result

    def _email_alias_for_emails_only(self, vals):
        """Take the alias off what is, or becomes, another kind of mailing."""
        if "mailing_type" not in vals and "email_alias_id" not in vals:
            return vals
        types = {vals.get("mailing_type")} - {None} or {*self.mapped("mailing_type")}
        return vals if types <= {"mail"} else {**vals, "email_alias_id": False}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_email_alias_on_its_way(self):
        """Restrict: nothing is left waiting without the buttons that stop it."""
        for mailing in self:
            if mailing.state != "draft" and not self.env.su:
                mailing._check_email_alias_sender()
            waiting = mailing._email_alias_count_mails([("state", "=", "outgoing")])
            if waiting:
                raise UserError(
                    self.env._(
                        "%(count)s emails of “%(subject)s” wait to be sent: cancel "
                        "them first.",
                        count=waiting,
                        subject=mailing.subject,
                    )
                )

    def action_send_winner_mailing(self):
        """Restrict: only the owner sends what is meant to leave by an alias."""
        if self.env.uid != api.SUPERUSER_ID:
            self._check_email_alias_sender()
        return super().action_send_winner_mailing()

    def action_select_as_winner(self):
        """Restrict: the winner is the owner's; the job sends it as they agreed."""
        is_sealed = self._email_alias_is_sealed()
        if self.env.uid != api.SUPERUSER_ID:
            self._check_email_alias_sender()
            self._check_email_alias_sealed()
        action = super().action_select_as_winner()
        if is_sealed and self.env.uid == api.SUPERUSER_ID:
            # sudo: nobody reads or writes whom the owner has agreed to write to
            winner_sudo = self.campaign_id.ab_testing_winner_mailing_id.sudo()
            winner_sudo.email_alias_counted = self.sudo().email_alias_counted
            winner_sudo._email_alias_seal_up()
        return action

    def copy_data(self, default=None):
        """Extend: the copy keeps the alias for its owner only."""
        vals_list = super().copy_data(default=default)
        for mailing, vals in zip(self, vals_list, strict=True):
            # sudo: whose alias it is decides, whatever may be read
            alias_sudo = mailing.sudo().email_alias_id
            if not alias_sudo or "email_alias_id" in (default or {}):
                continue
            if alias_sudo.active and mailing._email_alias_is_sender():
                vals["email_alias_id"] = alias_sudo.id
            else:
                vals["email_alias_id"] = False
                vals.pop("email_from", None)
        return vals_list

    @api.model
    def _check_email_alias_vals(self, vals):
        if vals.get("email_alias_id"):
            self.env["user.email.alias"].browse(vals["email_alias_id"])._check_owner()
        if not self.env.su and not SERVER_FIELDS.isdisjoint(vals):
            raise AccessError(
                self.env._("Pause and resume a mailing with its buttons.")
            )

    def _check_email_alias_change(self, vals):
        """Somebody else may edit a draft, and stop what no mail was made of yet.

        :raise AccessError: the alias of a mailing belongs to somebody else
        """
        if not vals.keys() - FREE_FIELDS:
            return
        free = {"draft"} if vals.get("state", "draft") == "draft" else set()
        if "state" in vals and vals.keys() <= STOP_FIELDS and free:
            free.add("in_queue")
        self.filtered(lambda m: m.state not in free)._check_email_alias_sender()

    def _email_alias_own_sealed(self, vals):
        """What is sealed again after its owner's own write: what they have agreed to.

        What somebody else has changed meanwhile is not agreed to by another click.
        """
        if vals.keys() <= SEAL_FIELDS or self.env.uid == api.SUPERUSER_ID:
            return self.browse()
        own = self.filtered(lambda m: m._email_alias_is_sender())
        if vals.get("state") in ("in_queue", "sending"):
            return own
        return own.filtered(
            lambda m: m.state in ("in_queue", "sending") and m._email_alias_is_sealed()
        )

    def action_retry_failed(self):
        """Restrict: what is sent once more is what was sent, and did not arrive."""
        self._check_email_alias_sender()
        for mailing in self.filtered(lambda m: m.state == "done"):
            mailing._check_email_alias_sealed()
        uncertain = self._email_alias_count_mails(
            [("failure_type", "=", UNCERTAIN), ("state", "=", "exception")]
        )
        if uncertain:
            raise UserError(
                self.env._(
                    "%s emails may have arrived. Decide on them first: Sending Log → "
                    "Uncertain.",
                    uncertain,
                )
            )
        return super().action_retry_failed()

    def _get_recipients_domain(self):
        """Restrict: whoever has come since it was queued is not written to."""
        domain = super()._get_recipients_domain()
        counted = self._email_alias_get_counted()
        if counted is None:
            return domain
        return domain & fields.Domain("id", "in", list(counted))

    def _get_recipients(self):
        """Restrict: nor is an address that was changed since then."""
        return self._email_alias_filter_counted(super()._get_recipients())

    def _check_email_alias_sealed(self):
        """Refuse what its alias's owner has not agreed to.

        :raise UserError: somebody else has changed the mailing
        """
        if not self._email_alias_is_sealed():
            raise UserError(
                self.env._(
                    "It was changed since it was put in the queue, and not by the "
                    "owner of its From alias. Look at it, then send it again."
                )
            )

    def _email_alias_is_sender(self):
        """Whether the user may send this mailing with its alias.

        OdooBot does it for the mailing's responsible.
        """
        self.ensure_one()
        is_bot = self.env.uid == api.SUPERUSER_ID
        sender_id = self.user_id.id if is_bot else self.env.uid
        # sudo: whose alias it is decides, whatever may be read
        alias_sudo = self.sudo().email_alias_id
        return not alias_sudo or alias_sudo.user_id.id == sender_id

    def _check_email_alias_sender(self):
        """Only the alias's owner sets a mailing off; the cron goes on for them.

        :raise AccessError: the alias belongs to somebody else
        """
        if not all(mailing._email_alias_is_sender() for mailing in self):
            raise AccessError(
                self.env._(
                    "This mailing leaves by somebody else's email alias: only they "
                    "can send it or change it on its way. Choose a From of your own "
                    "while it is a draft."
                )
            )

    def _check_email_alias_usable(self):
        """As :meth:`_check_email_alias_sender`, and the alias can send.

        :raise UserError: the alias is archived or not filled in
        """
        self._check_email_alias_sender()
        # sudo: the owner was just checked
        self.sudo().email_alias_id.with_user(api.SUPERUSER_ID)._check_usable()

    def _action_send_mail(self, res_ids=None):
        """Restrict: only the owner sends with an alias."""
        ready = self
        if self.env.uid == api.SUPERUSER_ID:
            ready = self.filtered(lambda m: not m._email_alias_give_back())
        else:
            self._check_email_alias_usable()
            drafts = self.filtered(lambda m: m.state == "draft")
            drafts._email_alias_count_up()
            drafts._email_alias_seal_up()
        return super(MailingMailing, ready)._action_send_mail(res_ids)

    def _email_alias_give_back(self):
        """Make a mailing a draft again that its alias cannot send any more.

        An error here would keep the job from all mailings that come after it.

        :return: whether it was given back
        """
        self.ensure_one()
        try:
            self._check_email_alias_usable()
            self._check_email_alias_sealed()
            moment = self._email_alias_get_moment()
            self.env["user.email.alias"]._check_not_stale(moment)
        except (AccessError, UserError) as error:
            self.action_cancel()
            Alias = self.env["user.email.alias"]
            partners = self.user_id.partner_id
            if not Alias._may_send(self.user_id):
                partners |= Alias._get_administrators()
            self.message_post(
                body=self.env._("This mailing was not sent. %s", error),
                partner_ids=partners.ids,
            )
            return True
        return False
