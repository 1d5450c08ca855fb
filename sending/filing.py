"""One account's turn: file its copies, and settle uncertain mail that lies there.

What waits is put off and committed before the server is spoken to: whatever becomes of
the conversation, and of this process, the account is not the next one again. No
transaction is open while the server is waited for.
"""

import logging
import time
import zlib

import psycopg2

from ..exceptions import MailboxClosed
from ..tools.imap.failure import ImapFailure
from .copy_rows import CopyRows
from .copy_trouble import explain, tell_owner
from .process import Process

_logger = logging.getLogger(__name__)


class Filing:
    """Files the copies of one alias.

    :param alias: the alias, in a cursor whose transactions are ours to end
    """

    def __init__(self, alias):
        self.alias = alias
        self.env = alias.env
        self._slowest = 0.0
        self._rows = CopyRows(alias)

    def run(self, deadline):
        """File what waits; trouble never touches the mail, nor another account.

        :param Deadline deadline: the end of the conversation
        """
        if not self.alias.exists():
            return
        if not self.alias._has_mailbox():
            self._rows.give_up()
            self.env.cr.commit()
            return
        # whether an administrator has to open the mailbox: that may take longer
        is_closed = False
        try:
            uncertain = self._rows.take_uncertain()
            copies = self._rows.take_copies()
            self.env.cr.commit()
            account = self.alias._get_imap_account__()
            folder = self.alias._get_imap_folder()
            self.env.cr.commit()
            with account.open(deadline) as connection:
                folder = connection.find_sent_folder(folder, create=True)
                self._remember(folder)
                box = connection.sent_box(folder)
                self._settle(uncertain, box)
                provider = connection.self_filing
                by_itself = provider and provider == self.alias._get_self_filing()
                self.env.cr.commit()
                while copies:
                    self._file(copies, None if by_itself else box)
                    copies = [] if self._is_over(deadline) else self._rows.take_copies()
                    self.env.cr.commit()
            self._rows.release()
        except psycopg2.Error as error:
            self.env.cr.rollback()
            _logger.warning("Copies of alias %s wait: %s", self.alias.id, error)
        except MailboxClosed as error:
            self.env.cr.rollback()
            is_closed = True
            self._rows.note_trouble(str(error), is_closed)
        except Exception as error:
            self.env.cr.rollback()
            self._rows.note_trouble(explain(self.alias, error), is_closed)
        tell_owner(self.alias, is_closed)
        self.env.cr.commit()

    def _is_over(self, deadline):
        """Whether the next step might not end in time, judged by the slowest so far."""
        return deadline.sooner(2 * self._slowest).is_over or Process.is_ending()

    def _remember(self, folder):
        """Remember the folder; that somebody else writes to the alias is no trouble."""
        try:
            self.alias._remember_folder(folder)
            self.env.cr.commit()
        except psycopg2.Error:
            self.env.cr.rollback()

    def _settle(self, uncertain, box):
        """What lies in the Sent folder was sent: the question answers itself."""
        found = [
            row_id
            for row_id, message_id, claimed_at in uncertain
            if box.contains(message_id, claimed_at)
        ]
        for row in self.env["user.email.alias.log"].browse(found):
            if row.outcome == "uncertain":
                row.action_mark_sent()
                row.reply = self.env._("Found in the Sent folder.")

    def _file(self, copies, box):
        """File some copies and commit what became of them.

        :param box: the SentBox, None where the provider files by itself
        :raise ImapFailure: nothing more is taken
        """
        began = time.monotonic()
        results = [None] * len(copies)
        if box:
            results = box.file_many(
                (zlib.decompress(bytes(data)), message_id, moment)
                for _row_id, data, message_id, moment, _first_at in copies
            )
        self._slowest = max(self._slowest, time.monotonic() - began)
        for (row_id, *_more, first_at), result in zip(copies, results, strict=True):
            if box and result is box.trouble:
                continue
            if isinstance(result, ImapFailure):
                self._rows.record_refusal(row_id, first_at, result)
            else:
                self._rows.record_filed(row_id)
        self.env.cr.commit()
        if box and box.trouble:
            raise box.trouble
