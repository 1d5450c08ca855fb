"""Messages of one alias that are built ahead: as many as the pause has time for."""

import logging
import time

import psycopg2

from odoo.tools import SQL

from ..tools.address import AddressError
from ..tools.attachments import SharedParts
from ..tools.message import UnsafeMessage
from .message import FRESH_SECONDS, Unbuilt, build, let_core_refuse
from .queries import get_next_ids

_logger = logging.getLogger(__name__)

# Messages built at once, and the bytes of them that end a batch: core reads what they
# have in common once.
BUILD_COUNT = 20
BUILD_BYTES = 1_000_000

# The claim is committed this many seconds before the slot; before it, what comes next
# is chosen once more.
CLAIM_LEAD_SECONDS = 0.004
CHOICE_SECONDS = 0.002

# A mail that cannot be built is tried again after this many seconds: the reason may be
# another add-on's, and it must not keep the rest from leaving.
BROKEN_SECONDS = 300


class NoRights(Exception):
    """The author may not read the record any more that the mail was written on."""


class Batch:
    """Builds the messages of one alias and keeps them until their turn."""

    def __init__(self, alias_id):
        self.alias_id = alias_id
        self.built_bytes = 0
        # mail id -> Message
        self._built = {}
        # mails that have to be built alone
        self._single = set()
        self._shared = SharedParts()
        # messages that the pause had time for when a batch was built last
        self._fitted = 1
        # how long the last build took that wrote something, in seconds; else 0
        self._writing_seconds = 0.0

    def take(self, mail_id):
        """The message of a mail, which is then no longer kept; or None."""
        return self._built.pop(mail_id, None)

    def put_back(self, message):
        """Keep a message whose turn has not come after all."""
        self._built[message.mail_id] = message

    def drop(self):
        """Keep nothing of what was built."""
        self._built = {}

    def fill(self, env, mail_id, is_bulk, account, start_at):
        """Build this mail and some that follow it.

        :param start_at: ``time.monotonic()`` of this mail's slot
        """
        self._built = {}
        if self._writing_seconds and not self._split(env, mail_id):
            self._built[mail_id] = Unbuilt(mail_id, self._writing_seconds)
            return
        ids = [mail_id]
        if mail_id not in self._single:
            count = BUILD_COUNT
            if is_bulk and account.pause:
                # what does not fit into the pause would be read in vain
                count = min(count, int(FRESH_SECONDS / account.pause), self._fitted + 1)
                count = max(count, 1)
            if account.daily_limit:
                count = 1
            ids = get_next_ids(env.cr, self.alias_id, is_bulk, count)
        if len(ids) > 1:
            self._build_many(env, ids, account, self._get_end(account, start_at))
            self._fitted = len(self._built)
            env.cr.rollback()
            # the first of a batch that took long must not be stale before its turn
            for message in self._built.values():
                message.built_at = time.monotonic()
            if mail_id in self._built:
                return
        if self._split(env, mail_id):
            return
        mail = env["mail.mail"].browse(mail_id)
        message = self.build_one(env, mail, account)
        if message:
            self._built[mail_id] = message

    @staticmethod
    def _split(env, mail_id):
        """Make one mail of each submission; return whether there was more than one."""
        is_split = env["mail.mail"].browse(mail_id)._email_alias_split()
        if is_split:
            env.cr.commit()
        return is_split

    def finish(self, env, mail, message):
        """Build what other add-ons write about in the transaction of its claim.

        Nothing may have changed since that transaction began: its snapshot decides
        whether the mail is still due.

        :return: the message; None if it is not to leave now
        """
        if message.is_built and not message.has_written:
            return message
        began = time.monotonic()
        message = self.build_one(env, mail, message.account, is_kept=True)
        if not message:
            return None
        self._writing_seconds = message.has_written * (time.monotonic() - began)
        try:
            env.cr.execute(
                SQL(
                    """
                    SELECT FROM mail_mail mail, user_email_alias alias
                     WHERE mail.id = %s AND alias.id = %s FOR SHARE NOWAIT
                    """,
                    mail.id,
                    self.alias_id,
                ),
                log_exceptions=False,
            )
        except psycopg2.OperationalError:
            env.cr.rollback()
            return None
        return message

    def _get_end(self, account, start_at):
        """Until when a batch may be built: the next slot is not to be missed."""
        now = time.monotonic()
        end = now + FRESH_SECONDS / 4
        slot = start_at - CLAIM_LEAD_SECONDS - CHOICE_SECONDS
        return min(end, slot) if account.pause else end

    def _build_many(self, env, ids, account, until):
        """Build what can be built together; the rest is built alone later.

        :param until: ``time.monotonic()`` by which the last one should be ready
        """
        size = 0
        mails = env["mail.mail"].browse(ids)
        allowed = self._filter_allowed(mails)
        began = time.monotonic()
        for mail in mails:
            if mail.id in self._single:
                continue
            try:
                if mail not in allowed or mail._email_alias_is_several():
                    message = None
                else:
                    message = build(mail, account, True, self._shared)
            except psycopg2.Error:
                raise
            except Exception:
                # tried again alone, where it is dealt with
                message = None
            if not message:
                self._single.add(mail.id)
                # what core wrote on a mail that it refused goes with the rollback
                return
            self._built[mail.id] = message
            size += message.own_size
            self.built_bytes += message.size
            now = time.monotonic()
            each = (now - began) / len(self._built)
            if size > BUILD_BYTES or now + each > until or message.has_written:
                return

    @staticmethod
    def _filter_allowed(mails):
        """The mails whose author may read their record; none where that is unclear."""
        try:
            return mails._email_alias_filter_allowed()
        except psycopg2.Error:
            raise
        except Exception:
            # asked again alone, where it is dealt with
            return mails.browse()

    def build_one(self, env, mail, account, is_kept=False):
        """Build one mail, or write on it why that is not possible, or why it waits.

        :param is_kept: the transaction goes on, with what was written in it
        :return: a message or None
        """
        is_own = mail.env.cr is env.cr
        try:
            if not mail._email_alias_filter_allowed():
                raise NoRights
            message = build(mail, account, is_own, self._shared)
        except psycopg2.Error:
            raise
        except Exception as error:
            if is_own:
                env.cr.rollback()
            self._record_unbuilt(mail, error)
        else:
            if is_own and not (message and is_kept):
                env.cr.rollback()
            if message:
                message.account = account
                self.built_bytes += message.size
                return message
            if not let_core_refuse(mail, account):
                mail._email_alias_defer(BROKEN_SECONDS, "")
        if is_own:
            env.cr.commit()
        return None

    def _record_unbuilt(self, mail, error):
        """Write on a mail why it could not be built."""
        if isinstance(error, NoRights):
            mail._email_alias_wait_for_rights()
            return
        if isinstance(error, UnsafeMessage | AddressError):
            mail._email_alias_record_unsent(str(error))
            return
        _logger.exception("Mail %s of alias %s: not built", mail.id, self.alias_id)
        mail._email_alias_defer(BROKEN_SECONDS, str(error))
