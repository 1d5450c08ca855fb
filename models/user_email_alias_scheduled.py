import json
from datetime import datetime

from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError

from .user_email_alias_seal import compute_seal

# The date of what its author has to decide on.
NEVER = datetime(9999, 1, 1)

# What an alias is named by in the parameters.
NAMES = frozenset(("email_alias_id", "email_alias_key"))

SEALED_FIELDS = (
    "subject",
    "body",
    "is_note",
    "model",
    "res_id",
    "author_id",
    "partner_ids",
    "notification_parameters",
    "send_context",
)


class UserEmailAliasScheduled(models.AbstractModel):
    """A message for later is posted as its author scheduled it, or not at all.

    Until then only its author has a hand in it. What cannot be posted at its time is
    set aside, and its author is told why.
    """

    _name = "user.email.alias.scheduled"
    _description = "Email Alias: Scheduled Message"

    email_alias_seal = fields.Char(
        groups=fields.NO_ACCESS,
        copy=False,
        exportable=False,
        help="Computed from all that the author has scheduled.",
    )
    email_alias_failure = fields.Text("Not sent", readonly=True, copy=False)

    # ------------------------------------------------------------------
    # Its alias, in the parameters it is posted with
    # ------------------------------------------------------------------

    def _email_alias_get_parameters(self):
        self.ensure_one()
        return _load(self.notification_parameters)

    @api.model
    def _email_alias_with_key(self, vals):
        """Name the alias by what names no other one when this one is gone."""
        parameters = _load(vals.get("notification_parameters"))
        if not NAMES.intersection(parameters):
            return vals
        Alias = self.env["user.email.alias"]
        alias = Alias._find_by_key(parameters.get("email_alias_key"))
        alias_id = parameters.pop("email_alias_id", None)
        if type(alias_id) is int:
            alias = Alias.browse(alias_id).exists()
        alias._check_owner()
        if alias:
            # sudo: one's own alias, just checked
            parameters["email_alias_key"] = alias.sudo().key
        return {**vals, "notification_parameters": json.dumps(parameters)}

    @api.model
    def _email_alias_of(self, alias):
        """The messages for later that name this alias, as sudo."""
        # sudo: whoever asks is told their number
        key = alias.sudo().key
        return self.sudo().search([("notification_parameters", "like", key)])

    def _email_alias_release(self):
        """Name no alias any more, nor its address."""
        for scheduled in self:
            parameters = scheduled._email_alias_get_parameters()
            for name in (*NAMES, "email_from", "reply_to"):
                parameters.pop(name, None)
            scheduled.notification_parameters = json.dumps(parameters)

    # ------------------------------------------------------------------
    # Nobody else has a hand in it
    # ------------------------------------------------------------------

    def _email_alias_written(self):
        """Those that name an alias, whether it is still there or not; as sudo."""
        # sudo: the parameters belong to the server
        return self.sudo().filtered(
            lambda s: NAMES.intersection(s._email_alias_get_parameters())
        )

    def _email_alias_check_author(self):
        """Refuse what somebody else means to do with it.

        :raise AccessError: it is written with somebody else's alias
        """
        if self.env.uid == api.SUPERUSER_ID:
            return
        if self._email_alias_written().filtered(lambda s: not s._email_alias_is_own()):
            raise AccessError(
                self.env._(
                    "This message is scheduled with somebody else's email alias: only "
                    "they can change, send or cancel it."
                )
            )

    def _email_alias_is_own(self):
        self.ensure_one()
        # sudo: whose alias it is decides, whatever may be read
        owner = self.sudo().email_alias_id.user_id or self.create_uid
        return owner.id == self.env.uid

    def _email_alias_follow_record(self):
        """Let nothing that waits go with its record, deleted or merged, unsaid.

        :raise UserError: a person is about to delete the record
        """
        for scheduled in self._email_alias_written():
            if self.env.uid == api.SUPERUSER_ID:
                scheduled._email_alias_tell(
                    self.env._("The record it was scheduled on was deleted."),
                    self.env._("This is what it said:"),
                )
                continue
            raise UserError(
                self.env._(
                    "A message of %(author)s, “%(subject)s”, waits on a record that "
                    "you are about to delete or merge; it is to be sent at %(time)s. "
                    "It has to be sent or cancelled first.",
                    author=scheduled.create_uid.name,
                    subject=scheduled.subject or "",
                    time=tools.format_datetime(self.env, scheduled.scheduled_date),
                )
            )

    # ------------------------------------------------------------------
    # Seal
    # ------------------------------------------------------------------

    def _email_alias_seal_up(self):
        """Keep what the messages are now: their author has agreed to it."""
        if self.env.uid == api.SUPERUSER_ID:
            return
        scheduled_sudo = self._email_alias_written()
        scheduled_sudo.flush_recordset()
        scheduled_sudo.invalidate_recordset()
        for message_sudo in scheduled_sudo:
            message_sudo.email_alias_seal = message_sudo._email_alias_compute_seal()

    def _email_alias_is_sealed(self):
        """Whether the message is what its author scheduled; as sudo."""
        self.ensure_one()
        return tools.consteq(
            self.email_alias_seal or "", self._email_alias_compute_seal()
        )

    def _email_alias_compute_seal(self):
        self.ensure_one()
        values = [self[name] for name in SEALED_FIELDS]
        values.append(self.partner_ids.sorted("id").mapped("email_normalized"))
        return compute_seal(self, values)

    # ------------------------------------------------------------------
    # Its time has come
    # ------------------------------------------------------------------

    def _email_alias_check_postable(self):
        """Ask once more what was asked when it was scheduled.

        :raise AccessError, UserError: it cannot be posted as its author scheduled it
        """
        self.ensure_one()
        author = self.create_uid
        key = self._email_alias_get_parameters().get("email_alias_key")
        self.env["user.email.alias"].with_user(author)._get_by_key(key)._check_usable()
        if not self._email_alias_is_sealed():
            raise UserError(
                self.env._(
                    "The message was changed since its author scheduled it, or one of "
                    "its recipients was. Look at it, then send it."
                )
            )
        self.with_user(author)._check()

    def _email_alias_find_unpostable(self, is_job):
        """What cannot be posted now.

        :param is_job: nobody has just looked at it
        :return: dict of message -> the reason
        """
        reasons = {}
        for message_sudo in self._email_alias_written():
            message_sudo.invalidate_recordset()
            try:
                message_sudo._email_alias_check_postable()
                if is_job:
                    moment = message_sudo.scheduled_date
                    self.env["user.email.alias"]._check_not_stale(moment)
            except (AccessError, UserError) as error:
                reasons[message_sudo] = str(error)
        return reasons

    def _email_alias_set_aside(self, reason):
        """Keep it for its author, and tell them why it was not posted."""
        self.write({"scheduled_date": NEVER, "email_alias_failure": reason})
        self._email_alias_tell(
            reason,
            self.env._(
                "It is kept on the record, where its author can send or cancel it."
            ),
        )

    def _email_alias_tell(self, reason, consequence):
        self.ensure_one()
        author = self.create_uid
        partners = author.partner_id
        if not self.env["user.email.alias"]._may_send(author):
            partners |= self.env["user.email.alias"]._get_administrators()
        self.env["mail.thread"].message_notify(
            partner_ids=partners.ids,
            subject=self.env._("A scheduled message could not be sent"),
            body=Markup("<p>%s</p><p>%s</p><blockquote>%s</blockquote>")
            % (reason, consequence, self.body or ""),
        )


def _load(parameters):
    try:
        found = json.loads(parameters or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
