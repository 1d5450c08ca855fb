from odoo import api, fields, models

from ..decorators import of_records
from ..sending.jobs import Jobs
from ..sending.why import Reason, Why, find_sample
from ..sending.why_clicks import Clicks
from ..sending.why_words import Reader, Words
from ..tools.epoch import to_datetime, to_epoch

# Of these one is enough: they say that nothing is wrong.
PASSING = frozenset(("far", "in_hand", "lanes", "next_run", "now", "pace", "turn"))

# Mails of a mailing, or of a selection, that are looked at for the answer.
LOOK_AT = 80


class UserEmailAliasWhy(models.AbstractModel):
    """Why is nothing leaving: the reasons, when it goes on, and what to click."""

    _name = "user.email.alias.why"
    _description = "Email Alias: Why Nothing Leaves"

    @of_records
    def action_why(self):
        """Open the answer."""
        self.ensure_one()
        self.check_access("read")
        return self._open_why(self)

    @of_records
    def read_why(self):
        """Return the reasons of what waits with this alias; see :meth:`_tell_why`."""
        self.ensure_one()
        self.check_access("read")
        # sudo: the queue is technical; whose alias it is has been asked
        return self._tell_why(find_sample(self.sudo().env, self.id), self)

    @api.model
    def _open_why(self, records, method="read_why"):
        """Open the answer, which ``method`` of the records gives."""
        return {
            "type": "ir.actions.client",
            "tag": "email_alias_why",
            "name": self.env._("Why is nothing leaving?"),
            "params": {"model": records._name, "ids": records.ids, "method": method},
        }

    @api.model
    def _explain_mails(self, mail_ids):
        """Explain mails one by one, for a list; the caller has asked who may read.

        :return: dict mail id -> (sentence, when it goes on in naive UTC or False)
        """
        # sudo: the queue is technical
        why = Why(self.sudo().env, mail_ids)
        speakers = self._get_speakers(why)
        explained = {}
        for mail in why.mails.values():
            reason = why.explain(mail.id)
            text = speakers[mail.alias_id].tell(reason)
            explained[mail.id] = (text, _to_field(reason.at))
        return explained

    @api.model
    def _tell_why(self, mail_ids, aliases=None):
        """Tell why these mails have not left, each reason once.

        :param aliases: what they say even if nothing waits with them
        :return: list of dicts key, text, at (UTC as text, or False), about (which
            email, or False) and clicks, which see :class:`Clicks`
        """
        # sudo: the queue is technical; the caller has asked who may read
        env = self.sudo().env
        why = Why(env, mail_ids, aliases.ids if aliases else ())
        speakers = self._get_speakers(why)
        told = {}
        for mail in why.mails.values():
            for reason in why.explain_all(mail):
                key = "passing" if reason.key in PASSING else reason.key
                told.setdefault((mail.alias_id, key), reason)
        if not told:
            for standing in why.standings.values():
                for reason in why.find_bars(standing):
                    told[standing.id, reason.key] = reason
        return [
            self._tell_one(speakers[alias_id], reason)
            for (alias_id, _key), reason in told.items()
        ]

    @api.model
    def _tell_one(self, words, reason):
        about = False
        if reason.is_of_one_mail:
            # sudo: the subject of what waits, for whoever reads the alias's queue
            mail_sudo = words.env["mail.mail"].browse(reason.mail.id)
            about = words.may_read and mail_sudo.subject
        return {
            "key": reason.key,
            "text": words.tell(reason),
            "at": fields.Datetime.to_string(_to_field(reason.at)),
            "about": about,
            "clicks": Clicks(words).get(reason),
        }

    @api.model
    def _get_speakers(self, why):
        """The :class:`Words` of each alias, for the user who asks."""
        reader = Reader.of(self.env)
        aliases_sudo = why.env["user.email.alias"].browse(why.standings)
        return {a.id: Words(a, reader, why.house) for a in aliases_sudo}

    @api.model
    def _tell_why_of_mailing(self, mailing):
        """Tell why a mailing does not leave; who may read it has been asked."""
        # sudo: the queue is technical, the job an administrator's
        mailing_sudo = mailing.sudo()
        alias_sudo = mailing_sudo.email_alias_id
        mails = mailing_sudo.env["mail.mail"].search(
            [
                ("mailing_id", "=", mailing.id),
                ("email_alias_id", "!=", False),
                ("state", "=", "outgoing"),
            ],
            order="email_alias_due, id",
            limit=LOOK_AT,
        )
        told = self._tell_why(mails.ids, alias_sudo)
        if not alias_sudo or mails or mailing.state == "done":
            return told
        why = Why(mailing_sudo.env, (), alias_sudo.ids)
        words = self._get_speakers(why)[alias_sudo.id]
        return [*told, self._tell_one(words, _get_step(mailing_sudo))]


def _get_step(mailing_sudo):
    """Why there are no emails of a mailing yet."""
    if mailing_sudo.state == "draft":
        return Reason("mailing_draft")
    at = to_epoch(mailing_sudo.schedule_date)
    if at > to_epoch(fields.Datetime.now()):
        return Reason("mailing_scheduled", at=at)
    job = mailing_sudo.env.ref(
        "mass_mailing.ir_cron_mass_mailing_queue", raise_if_not_found=False
    )
    trouble = Jobs(job or mailing_sudo.env["ir.cron"]).trouble
    if trouble:
        return Reason(f"mailing_job_{trouble.key}")
    return Reason("mailing_soon")


def _to_field(at):
    return to_datetime(at).replace(microsecond=0) if at else False
