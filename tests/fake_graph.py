"""Microsoft Graph as far as sending goes: limits, codes and all, in memory."""

import base64
import binascii
import email
import email.utils
import re
import uuid
from urllib.parse import unquote

from .fake_api import FakeApi, get_recipients
from .fake_graph_drafts import Drafts
from .fake_oauth_organisation import APPLICATION

WINDOW_SECONDS, WINDOW_BYTES = 300.0, 150_000_000
MOST_AT_ONCE = 4
_SUBMISSION = re.compile(r"/v1\.0/(?:me|users/([^/]+))/sendMail")
_MAILBOX = re.compile(r"/v1\.0/(?:me|users/([^/]+))/")


class FakeGraph(Drafts, FakeApi):
    """``POST /v1.0/me/sendMail`` with MIME, and ``GET /v1.0/me``; drafts.

    An application has no ``me``: it names a user, ``/v1.0/users/<mailbox>/sendMail``.

    :ivar send_as: addresses an account may send as besides its own
    :ivar without_mailbox: accounts without a mailbox
    :ivar closed_to_applications: accounts that are outside of an application's scope
    :ivar profile: what ``/me`` says besides of every account
    """

    max_body = 4_000_000
    window_seconds = WINDOW_SECONDS

    def __init__(self, identity_provider, scope=""):
        super().__init__(identity_provider, scope)
        self.send_as = set()
        self.without_mailbox = set()
        self.closed_to_applications = set()
        self.profile = {}

    def get_scope(self):
        return f"{self.url}/Mail.Send"

    def is_submission(self, method, path):
        return method == "POST" and bool(_SUBMISSION.fullmatch(path))

    def get_mailbox(self, path, account):
        named = unquote(_MAILBOX.match(path)[1] or "")
        if not named:
            return account
        if account is not APPLICATION:
            # a person uses another one's mailbox by the right Mail.Send.Shared only
            return None
        found = self.identity_provider.accounts.values()
        return next((a for a in found if named in (a.email, a.upn)), account)

    def error(self, code, text):
        return {"error": {"code": code, "message": text, "innerError": {}}}

    def get(self, path, account):
        if path != "/v1.0/me":
            return super().get(path, account)
        if account.email in self.without_mailbox:
            return self._no_mailbox()
        return (
            200,
            self._ids(),
            {
                "mail": account.email,
                "userPrincipalName": account.email,
                "proxyAddresses": [f"SMTP:{account.email}"],
                **self.profile,
            },
        )

    def _no_mailbox(self):
        text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        return 404, self._ids(), self.error("MailboxNotEnabledForRESTAPI", text)

    @staticmethod
    def _ids():
        return {"request-id": str(uuid.uuid4())}

    def submit(self, account, headers, body, times):
        if account is None or account.email in self.closed_to_applications:
            text = "Access is denied. Check credentials and try again."
            return 403, self._ids(), self.error("ErrorAccessDenied", text)
        if account is APPLICATION:
            text = "The requested user is invalid."
            return 404, self._ids(), self.error("ErrorInvalidUser", text)
        if account.email in self.without_mailbox:
            return self._no_mailbox()
        if headers.get("Content-Type") != "text/plain":
            return 400, self._ids(), self.error("RequestBodyRead", "JSON expected.")
        try:
            data = base64.b64decode(body, validate=True)
        except binascii.Error:
            text = "The MIME content is not valid base64."
            return 400, {}, self.error("ErrorMimeContentInvalidBase64String", text)
        is_crowded = self.at_once[account.email] > MOST_AT_ONCE
        if is_crowded or self._is_over_window(account, len(body)):
            text = "Application is over its MailboxConcurrency limit."
            retry = {"Retry-After": "1", **self._ids()}
            return 429, retry, self.error("ApplicationThrottled", text)
        refusal = self.judge_sender(account, data)
        if refusal:
            return refusal
        if not get_recipients(data):
            text = "At least one recipient is not valid."
            return 400, self._ids(), self.error("ErrorInvalidRecipients", text)
        self.keep(account.email, data, len(body), times)
        return 202, self._ids(), None

    def judge_sender(self, account, data):
        """Return the answer to whoever may not send as this From, else None."""
        message = email.message_from_bytes(data.partition(b"\r\n\r\n")[0])
        sender = email.utils.parseaddr(message["From"])[1]
        if not sender or sender in {account.email, *self.send_as}:
            return None
        text = "The user account is not allowed to send as this address."
        return 403, self._ids(), self.error("ErrorSendAsDenied", text)

    def get_draft_scope(self):
        return f"{self.url}/Mail.ReadWrite"

    def get_message(self, body):
        return base64.b64decode(body)

    def _is_over_window(self, account, size):
        taken = sum(item.size for item in self.get_taken(account, self.window_seconds))
        return taken + size > WINDOW_BYTES
