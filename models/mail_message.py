from odoo import api, fields, models
from odoo.fields import Command

from .user_email_alias_keep import PLACE_FIELDS, SEEN_FIELDS

# What recipients get to see of a message, or where their answers go.
CONTENT_FIELDS = frozenset(
    (
        "attachment_ids",
        "author_id",
        "body",
        "email_add_signature",
        "email_alias_id",
        "email_from",
        "email_layout_xmlid",
        "mail_server_id",
        "message_id",
        "model",
        "partner_ids",
        "reply_to",
        "reply_to_force_new",
        "res_id",
        "subject",
    )
)

# What a default would add to a message.
ADDED_FIELDS = ("partner_ids", "subject")


def leave_no_default(vals, fnames=()):
    """Name outright what nobody wrote: a default is an administrator's, not theirs.

    :param dict vals: of a message, changed in place; or of a mail that has one
    :param fnames: fields of the mail
    """
    for fname in fnames:
        vals.setdefault(fname, False)
    if vals.get("mail_message_id"):
        return
    for fname in ADDED_FIELDS:
        vals.setdefault(fname, False)
    if not vals.get("attachment_ids"):
        # core takes an empty list out, and then finds a default
        vals["attachment_ids"] = [Command.set([])]


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", "user.email.alias.message", "user.email.alias.keep"]

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The address this message left from.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Extend: only the owner writes with an alias, and it decides the From.

        An alias is named outright: no default of a context or a user counts.
        """
        vals_list = [{"email_alias_id": False, **vals} for vals in vals_list]
        aliases = self.env["user.email.alias"].browse(
            {vals["email_alias_id"] for vals in vals_list if vals["email_alias_id"]}
        )
        if aliases:
            aliases._check_usable()
            for vals in vals_list:
                if vals["email_alias_id"]:
                    leave_no_default(vals)
                    # sudo: one's own alias, just checked
                    alias_sudo = aliases.browse(vals["email_alias_id"]).sudo()
                    vals["email_from"] = alias_sudo._get_formatted_from()
                    if vals.get("reply_to") and not vals.get("reply_to_force_new"):
                        vals["reply_to"] = alias_sudo._name_reply_to(vals["reply_to"])
        return super().create(vals_list)

    def write(self, vals):
        """Restrict: nobody sends other words, or to others, with somebody's alias.

        Core lets whoever may write a document write its messages, too; with an alias
        they may still wait in the queue.
        """
        if not self.env.su and not CONTENT_FIELDS.isdisjoint(vals):
            # sudo: whose alias it is decides, whatever may be read
            self.sudo().email_alias_id.sudo(False)._check_owner()
        if vals.get("email_alias_id"):
            self.env["user.email.alias"].browse(vals["email_alias_id"])._check_owner()
        if SEEN_FIELDS.isdisjoint(vals):
            return super().write(vals)
        edited = self._email_alias_keep_waiting(not PLACE_FIELDS.isdisjoint(vals))
        before = {message.id: (message.body, message.preview) for message in edited}
        result = super().write(vals)
        if "body" in vals:
            edited._email_alias_renew(before)
        return result

    def unlink(self):
        """Extend: the author's waiting mail is cancelled, anybody else's leaves."""
        own = self._email_alias_keep_waiting()
        waiting = own._email_alias_call_off()
        if waiting:
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "warning",
                    "message": self.env._(
                        "%s emails that waited to be sent were cancelled.", len(waiting)
                    ),
                },
            )
        return super().unlink()

    def _to_store(self, store, fields, **kwargs):
        """Extend: what became of a message is shown below it."""
        is_whole = "message_format" in fields
        super()._to_store(store, fields, **kwargs)
        if is_whole:
            self._email_alias_outcomes_to_store(store)

    def _message_notifications_to_store(self, store):
        """Extend: as :meth:`_to_store`, when it has changed."""
        super()._message_notifications_to_store(store)
        self._email_alias_outcomes_to_store(store)
