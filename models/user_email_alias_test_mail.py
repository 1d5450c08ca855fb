import secrets

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..decorators import of_records
from ..sending import probe
from ..sending.checklist import Checklist
from ..sending.why_words import Reader, Words
from ..tools.deadline import Deadline
from ..tools.imap.arrival import Sought
from ..tools.received import judge
from .user_email_alias_sent_copies import IMAP_ERRORS

# How long each of the two steps may take, in seconds: the server's answer, and then
# the arrival with all that is read of it.
SEND_SECONDS = 30
LOOK_SECONDS = 40

TOKEN_BYTES = 5  # of the word in its subject by which it is found


class UserEmailAliasTestMail(models.AbstractModel):
    """Send me a test mail: through the alias to itself, and read back what arrived.

    The last one is kept, as plain values: its sentences are made when they are read.
    """

    _name = "user.email.alias.test.mail"
    _description = "Email Alias: Test Mail"

    test_mail = fields.Json("Last Test Mail", readonly=True, copy=False)
    test_checklist = fields.Json("Test Mail", compute="_compute_test_checklist")
    test_copies_proposal = fields.Selection(
        [("off", "Switch copies off"), ("on", "Switch copies on")],
        compute="_compute_test_checklist",
    )

    @api.depends_context("lang", "tz", "uid")
    @api.depends("test_mail", "files_copies")
    def _compute_test_checklist(self):
        for alias in self:
            kept = alias.test_mail
            checklist = kept and Checklist(alias, kept)
            alias.test_checklist = checklist.get_lines() if checklist else False
            alias.test_copies_proposal = checklist.proposal if checklist else False

    @of_records
    def action_test_mail(self):
        """Open the dialogue, which goes through the steps."""
        return self._open_test_mail(["send_test_mail", "look_for_test_mail"])

    @of_records
    def action_look_for_test_mail(self):
        """Open the dialogue for another look at the mailbox."""
        return self._open_test_mail(["look_for_test_mail"])

    def _open_test_mail(self, steps):
        self.ensure_one()
        self._check_owner()
        return {
            "type": "ir.actions.client",
            "tag": "email_alias_test_mail",
            "name": self.env._("Test mail to %s", self.email_from),
            "params": {"id": self.id, "steps": steps},
        }

    # ------------------------------------------------------------------
    # First step: send
    # ------------------------------------------------------------------

    @of_records
    def send_test_mail(self):
        """Send it, and wait for the server's answer.

        :return: see :meth:`_get_progress`
        """
        self.ensure_one()
        self._check_owner()
        self._check_usable()
        if self.env["user.email.alias.queue"]._get_stop() == "copy":
            raise UserError(self._get_copy_message())
        self._count_attempt()
        self._record_event("tested")
        vals, headers = self._get_test_values()
        registry, uid, context = self.env.registry, self.env.uid, dict(self.env.context)
        self._let_go()
        submission = probe.send(registry, uid, context, vals, Deadline(SEND_SECONDS))
        kept = {
            "state": submission.outcome,
            "at": submission.replied_at,
            "token": vals["subject"].rpartition(" ")[2],
            "headers": headers,
            "log_id": submission.log_id,
            "message_id": submission.message_id,
            "header_from": submission.header_from,
            "text": self._tell_submission(submission),
            "unread": self._get_unread(),
        }
        return self._keep_test(kept)

    def _get_test_values(self):
        """The mail: what a mailing carries besides, leading nowhere.

        :return: its values, and those headers
        """
        token = secrets.token_hex(TOKEN_BYTES).upper()
        base = self.env["ir.config_parameter"]._email_alias_get("web.base.url")
        headers = {
            # nobody is unsubscribed there; RFC 8058 3.1
            "List-Unsubscribe": f"<{base}/user_email_alias/test_mail>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "list",
            "X-Auto-Response-Suppress": "OOF",
        }
        body = self.env._(
            "You have tested your email alias “%s”. It carries the headers of a "
            "mailing; to unsubscribe in it does nothing. You can delete it.",
            self.display_name,
        )
        vals = {
            "subject": self.env._("Test of your email alias %s", token),
            "body_html": Markup("<p>%s</p>") % body,
            "email_to": self.email_from,
            "headers": repr(headers),
            "auto_delete": True,
            "email_alias_id": self.id,
        }
        return vals, headers

    def _tell_submission(self, submission):
        reason = submission.reason
        if reason and reason.key == "in_hand":
            return self.env._(
                "The mail server takes long to answer: look at the Sending Log."
            )
        if reason and reason.key in ("now", "turn"):
            return self.env._(
                "Another email of this alias takes long just now. Try again in a "
                "moment."
            )
        if reason:
            # sudo: the reasons are told to the owner
            house = probe.Why(self.sudo().env, ()).house
            words = Words(self.sudo(), Reader.of(self.env), house)
            return words.tell(reason)
        return False if submission.outcome == "sent" else submission.reply

    # ------------------------------------------------------------------
    # Second step: look
    # ------------------------------------------------------------------

    def _get_unread(self):
        """Why this mailbox is not read, in one sentence; False: it is."""
        # sudo: which kind of mailbox it is
        if self.sudo().imap_server_id:
            return self.env._(
                "Odoo only files copies in this IMAP server: look for it yourself."
            )
        if not self._has_mailbox():
            return self.env._(
                "Odoo cannot read this mailbox: look for it yourself, or enter an IMAP "
                "Server."
            )
        return False

    @of_records
    def look_for_test_mail(self):
        """Wait until it has arrived, and read its header.

        :return: see :meth:`_get_progress`
        """
        self.ensure_one()
        self._check_owner()
        kept = self.test_mail
        if not kept or kept["state"] not in ("sent", "missing", "arrived"):
            raise UserError(self.env._("There is no test mail to look for."))
        if unread := self._get_unread():
            return self._keep_test({**kept, "unread": unread})
        self._count_attempt()
        sought = Sought(kept["message_id"], kept["token"])
        registry = self.env.registry
        try:
            account, folder = self._get_imap_account__(), self._get_imap_folder()
            self._let_go()
            arrival = probe.look(
                registry, self.id, account, folder, sought, Deadline(LOOK_SECONDS)
            )
        except IMAP_ERRORS as failure:
            text = self.env._("The mailbox could not be read: %s", failure)
            return self._keep_test({**kept, "unread": text})
        return self._keep_test({**kept, **self._read_arrival(kept, arrival)})

    def _read_arrival(self, kept, arrival):
        values = {"unread": False, "copies": arrival.copies}
        if not arrival.folder:
            return {**values, "state": "missing"}
        found = judge(
            arrival.header, kept["message_id"], kept["header_from"], kept["headers"]
        )
        return {
            **values,
            "state": "arrived",
            "folder": arrival.folder,
            "seconds": self._get_seconds(kept, arrival),
            "found": found.as_dict(),
        }

    @api.model
    def _get_seconds(self, kept, arrival):
        """How long it took: by the mailbox's clock where that fits, else by ours."""
        seen = arrival.seen_at - kept["at"]
        told = arrival.received and arrival.received.timestamp() - kept["at"]
        return told if told is not None and 0 <= told <= seen else max(0.0, seen)

    # ------------------------------------------------------------------
    # Both
    # ------------------------------------------------------------------

    def _forget_test_mail(self):
        """Tell nothing of a test that another account has passed."""
        # sudo: written by the server only
        self.sudo().filtered("test_mail").test_mail = False

    def _keep_test(self, kept):
        # whatever a lane has written meanwhile must not have this request done again
        self._let_go()
        # sudo: written by the server only
        self.sudo().test_mail = kept
        return self._get_progress()

    def _get_progress(self):
        """What the dialogue shows: whether a step follows, and the list so far."""
        kept = self.test_mail
        return {
            "goes_on": kept["state"] == "sent" and not kept.get("unread"),
            "lines": self.test_checklist,
        }

    @of_records
    def action_apply_copies(self):
        """Do with the switch for copies what the test proposes."""
        self.ensure_one()
        self._check_owner()
        if not self.test_copies_proposal:
            raise UserError(self.env._("This has been decided already."))
        self.files_copies = self.test_copies_proposal == "on"
