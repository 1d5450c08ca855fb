import contextlib

from odoo import api, models

# How the choice goes along with what a dialogue calls.
PICKED, BULK, LOOSE = "email_alias_picked_id", "email_alias_bulk", "email_alias_loose"


class UserEmailAliasPicked(models.AbstractModel):
    """What leaves by the alias that was picked in a dialogue of core.

    Core's code posts or sends without knowing of aliases. The choice goes along in
    the context, no further than what the person has written: a message takes it and
    does not hand it on, and server actions start without it.
    """

    _name = "user.email.alias.picked"
    _description = "Email Alias: Picked in a Dialogue"

    @api.model
    def _get_picked(self):
        """The alias of the dialogue that is being sent, or void."""
        return self.browse(self.env.context.get(PICKED) or [])

    def _pick_for(self, records, is_bulk=False, is_loose=False):
        """Let what ``records`` send leave by this alias; without alias as ever.

        :param is_bulk: each email keeps the alias's pace
        :param is_loose: the emails belong to no record, for it will be deleted
        :raise AccessError, UserError: it is not the user's own, or cannot be used
        """
        if not self:
            return records
        self._check_usable()
        return records.with_context(**{PICKED: self.id, BULK: is_bulk, LOOSE: is_loose})

    @api.model
    def _forget_picked(self, records):
        """What ``records`` send from here on is not what the person has written."""
        if not records.env.context.get(PICKED):
            return records
        return records.with_context(**{PICKED: False, LOOSE: False})

    def _get_picked_values(self, vals):
        """What a mail of the dialogue says instead of the ``vals`` core has for it.

        :raise AccessError, UserError: it is not the user's own, or cannot be used
        """
        self._check_usable()
        asked = bool(vals.get("reply_to_force_new") and vals.get("reply_to"))
        values = {
            "email_alias_id": self.id,
            "email_alias_bulk": bool(self.env.context.get(BULK)),
            "author_id": self.env.user.partner_id.id,
            # sudo: one's own alias, just checked
            **self.sudo()._get_sender_values(keep_reply_to=asked),
        }
        if self.env.context.get(LOOSE):
            values.update(model=False, res_id=False)
        return values

    @contextlib.contextmanager
    def _follow_up(self, record=None, find_messages=None):
        """Show what becomes of the emails that are created in the block.

        Those that no message in a chatter stands for get a note on ``record``, with
        the outcome below it. Of a bulk sending the user is told how long it takes.

        :param record: what the emails are about; void or without chatter: no note.
            Of several records each gets a note of its own emails
        :param find_messages: instead of a note, a function that returns the message
            that stands for each of these emails, in their order
        """
        if not self:
            yield
            return
        Mail = self.env["mail.mail"].sudo()  # sudo: one's own mails of this moment
        last = Mail.search([], order="id DESC", limit=1).id or 0
        yield
        mails = Mail.search(
            [("id", ">", last), ("email_alias_id", "=", self.id)], order="id"
        )
        hidden = mails.filtered(lambda mail: not mail._email_alias_shown_as())
        if hidden and find_messages:
            for mail, message in zip(hidden, find_messages(), strict=True):
                mail.email_alias_message_id = message
        elif hidden and record and "message_ids" in record:
            self._note_each(record, hidden)
        if bulk := mails.filtered("email_alias_bulk"):
            self._tell_pace(len(bulk))

    def _note_each(self, records, mails):
        """Note on each of ``records`` the mails that are about it; on one, all."""
        for record in records:
            about = mails
            if len(records) > 1:
                about = mails.filtered(lambda mail, id_=record.id: mail.res_id == id_)
            if about:
                about.email_alias_message_id = self._note(record, about)

    def _note(self, record, mails):
        names = [
            mail.email_to or ", ".join(mail.recipient_ids.mapped("display_name"))
            for mail in mails
        ]
        note = record._message_log(
            body=self.env._(
                "“%(subject)s” was sent to %(names)s",
                subject=mails[0].subject or "",
                names=", ".join(names),
            )
        )
        # sudo: the alias is one's own, see _pick_for
        note.sudo().write(
            {
                "email_alias_id": self.id,
                "email_from": self.sudo()._get_formatted_from(),
            }
        )
        return note

    def _tell_pace(self, count):
        alias_sudo = self.sudo()  # sudo: one's own alias
        self.env.user._bus_send(
            "simple_notification",
            {
                "type": "info",
                "title": self.env._("Sending as %s", alias_sudo.display_name),
                "message": alias_sudo._get_forecast(count).describe(alias_sudo),
            },
        )
