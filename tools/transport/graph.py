"""Microsoft Graph: ``POST /me/sendMail`` with the message in MIME.

https://learn.microsoft.com/graph/outlook-send-mime-message: base64 as ``text/plain``,
and 202 is the success. It means "stored, and will be tried": what Exchange refuses
later comes back as a report to the mailbox. Each message is kept in Sent Items.

A message that is too large for one request goes as a draft, see ``graph_draft.py``,
where the right ``Mail.ReadWrite`` was given for that.
"""

import base64
from urllib.parse import quote

from .graph_draft import Drafts
from .http.connection import ApiTransport, as_object, as_text
from .smtp.reply import Reply, sanitise

# After this many seconds another connection is opened for larger messages.
LARGER_SECONDS = 20.0
# Addresses of a mailbox that are kept.
MAX_ADDRESSES = 50


class GraphTransport(Drafts, ApiTransport):
    """Submission as the signed-in account, with the delegated right ``Mail.Send``.

    Or for one mailbox of an organisation, with the application's right of that name.
    """

    label = "Microsoft"
    default_url = "https://graph.microsoft.com"
    permissions = ("Mail.Send", "User.Read")
    draft_permission = "Mail.ReadWrite"
    takes_larger_elsewhere = True
    # A request of 4 MB at most, in base64; more is refused with 413. Above 2,240 kB it
    # was seen to be answered with 200 and not to be sent (microsoft-graph-docs#13979).
    mime_bytes = 2_200_000
    most_mime_bytes = 3_000_000
    # of the whole message, where an administrator has not changed the mailbox
    draft_bytes = 35_000_000
    # https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
    window = (150_000_000, 300.0)
    overhead = 4 / 3  # base64

    def __init__(self, access, deadline):
        super().__init__(access, deadline)
        asked = min(access.request_bytes, self.most_mime_bytes)
        self.mime_bytes = asked if asked > 0 else self.mime_bytes
        self._open_larger, self._larger = access.open_larger, None
        self._set_max_bytes()

    def _set_max_bytes(self):
        takes_more = self._open_larger or self._access.has_drafts
        self.max_bytes = self.draft_bytes if takes_more else self.mime_bytes
        if self._larger and self._larger.max_bytes:
            self.max_bytes = min(self.max_bytes, self._larger.max_bytes)

    def is_ready(self, size):
        """Extend: a larger message leaves by SMTP where that is open."""
        if size <= self.mime_bytes or not self._open_larger:
            return True
        larger = self._larger
        return bool(larger and larger.usable and larger.age < LARGER_SECONDS)

    def prepare(self, size):
        """Extend: find out whether SMTP is still open, before anything is begun."""
        if self.is_ready(size):
            return
        self._close_larger()
        self._larger = self._open_larger(self.deadline)
        if not self._larger:
            self._open_larger = None
        self._set_max_bytes()

    def makes_draft(self, size):
        """Extend: a larger message, where nothing else takes it."""
        is_large = size > self.mime_bytes and not self._larger
        return is_large and self._access.has_drafts

    def close(self):
        """Extend: the other way as well."""
        super().close()
        self._close_larger()

    def _close_larger(self):
        if self._larger:
            self._larger.close()
            self._larger = None

    def submit(self, envelope_from, recipients, message_bytes, *, not_before=0.0):
        """Extend: a larger message leaves by SMTP where that is open."""
        size = len(message_bytes)
        self.prepare(size)
        if size <= self.mime_bytes or not self._larger:
            return super().submit(
                envelope_from, recipients, message_bytes, not_before=not_before
            )
        self._larger.deadline = self.deadline
        return self._larger.submit(
            envelope_from, recipients, message_bytes, not_before=not_before
        )

    def _hand_over(self, message_bytes, not_before):
        """Extend: what does not fit into one request goes as a draft."""
        if len(message_bytes) <= self.mime_bytes:
            return super()._hand_over(message_bytes, not_before)
        return self._submit_draft(message_bytes, not_before)

    def check_sender(self, address: str) -> None:
        """Find out whether there is a mailbox; whose address it may use, it says not.

        ``User.Read`` lists the addresses of the mailbox itself. Those of others that it
        may send as are listed nowhere.

        An application that may send may not read even that.

        :raises ApiFailure: the token, the licence or the permission is missing
        """
        if self._access.mailbox:
            self._submit_nothing()
            return
        path = "/v1.0/me?$select=mail,userPrincipalName,proxyAddresses"
        answer = self._ask_twice(lambda: self._ask("GET", path))
        if answer.status != 200:
            raise self._failure(answer)
        self.own_addresses = _get_addresses(answer.data)

    def _get_submission(self, message_bytes):
        headers = {"Content-Type": "text/plain"}
        body = base64.b64encode(message_bytes)
        return "POST", self._get_path("/sendMail"), headers, body

    def _get_path(self, path):
        mailbox = self._access.mailbox
        whose = f"users/{quote(mailbox, safe='@')}" if mailbox else "me"
        return f"/v1.0/{whose}{path}"

    def _get_receipt(self, answer):
        if answer.status != 202:
            return None
        words = f"Accepted by Microsoft {self._get_request_id(answer)}"
        return Reply(202, None, sanitise(words))

    def _read_error(self, answer):
        error = as_object(answer.data.get("error"))
        return as_text(error.get("code")), as_text(error.get("message"))

    @staticmethod
    def _get_request_id(answer):
        request_id = answer.headers.get("request-id", "")
        return f"(request-id {request_id})" if request_id else ""


def _get_addresses(account):
    """Return the addresses of a mailbox, the main one first.

    https://learn.microsoft.com/graph/api/resources/user: ``proxyAddresses`` begin with
    ``SMTP:`` for the main one, with ``smtp:`` for the others; there are other kinds.
    """
    proxies = account.get("proxyAddresses")
    proxies = map(as_text, proxies if isinstance(proxies, list) else [])
    found = [text.partition(":") for text in proxies]
    kinds = ("SMTP", "smtp")
    listed = [text for kind in kinds for own, _, text in found if own == kind]
    every = (as_text(account.get("mail")), *listed)
    # not case, and no more than a menu holds
    unique = {text.lower(): text for text in reversed(every) if text}
    return tuple(reversed(unique.values()))[:MAX_ADDRESSES]
