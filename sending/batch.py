"""Messages of one alias that are built ahead: as many as the pause has time for."""

import logging
import time

import psycopg2

from ..tools.address import AddressError
from ..tools.message import UnsafeMessage
from .message import FRESH_SECONDS, build
from .queries import get_next_ids

_logger = logging.getLogger(__name__)

# Messages built at once, and the bytes of them that end a batch: core reads what they
# have in common once.
BUILD_COUNT = 20
BUILD_BYTES = 1_000_000

# The claim is committed this many seconds before the slot.
CLAIM_LEAD_SECONDS = 0.004

# A mail that cannot be built is tried again after this many seconds: the reason may be
# another add-on's, and it must not keep the rest from leaving.
BROKEN_SECONDS = 300


class Batch:
    """Builds the messages of one alias and keeps them until their turn."""

    def __init__(self, alias_id):
        self.alias_id = alias_id
        self.built_bytes = 0
        # mail id -> Message
        self._built = {}
        # mails that have to be built alone
        self._single = set()

    def take(self, mail_id):
        """The message of a mail, which is then no longer kept; or None."""
        return self._built.pop(mail_id, None)

    def put_back(self, message):
        """Keep a message whose turn has not come after all."""
        self._built[message.mail_id] = message

    def fill(self, env, mail_id, is_bulk, account, start_at):
        """Build this mail and some that follow it.

        :param start_at: ``time.monotonic()`` of this mail's slot
        """
        self._built = {}
        ids = [mail_id]
        if mail_id not in self._single:
            count = BUILD_COUNT
            if is_bulk and account.pause:
                count = min(count, max(1, int(FRESH_SECONDS / account.pause)))
            if account.daily_limit:
                count = 1
            ids = get_next_ids(env.cr, self.alias_id, is_bulk, count)
        if len(ids) > 1:
            self._build_many(env, ids, account, self._get_end(account, start_at))
            env.cr.rollback()
            # the first of a batch that took long must not be stale before its turn
            for message in self._built.values():
                message.built_at = time.monotonic()
            if mail_id in self._built:
                return
        mail = env["mail.mail"].browse(mail_id)
        if mail._email_alias_split():
            env.cr.commit()
            return
        message = self.build_one(env, mail, account)
        if message:
            self._built[mail_id] = message

    def _get_end(self, account, start_at):
        """Until when a batch may be built: the next slot is not to be missed."""
        now = time.monotonic()
        end = now + FRESH_SECONDS / 4
        return min(end, start_at - CLAIM_LEAD_SECONDS) if account.pause else end

    def _build_many(self, env, ids, account, until):
        """Build what can be built together; the rest is built alone later.

        :param until: ``time.monotonic()`` by which the last one should be ready
        """
        size = 0
        began = time.monotonic()
        for mail in env["mail.mail"].browse(ids):
            if mail.id in self._single:
                continue
            try:
                if mail._email_alias_is_several():
                    message = None
                else:
                    message = build(mail, account, is_own=True)
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
            size += len(message.data)
            self.built_bytes += len(message.data)
            now = time.monotonic()
            each = (now - began) / len(self._built)
            if size > BUILD_BYTES or now + each > until:
                return

    def build_one(self, env, mail, account):
        """Build one mail, or write on it why that is not possible.

        :return: a message or None
        """
        is_own = mail.env.cr is env.cr
        try:
            message = build(mail, account, is_own)
        except psycopg2.Error:
            raise
        except (UnsafeMessage, AddressError) as error:
            if is_own:
                env.cr.rollback()
            mail._email_alias_record_refused(str(error), False)
        except Exception as error:
            _logger.exception("Mail %s of alias %s: not built", mail.id, self.alias_id)
            if is_own:
                env.cr.rollback()
            mail._email_alias_defer(BROKEN_SECONDS, str(error))
        else:
            if message:
                message.account = account
                self.built_bytes += len(message.data)
                if is_own:
                    env.cr.rollback()
                return message
        if is_own:
            env.cr.commit()
        return None
