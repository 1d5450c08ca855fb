"""The Gmail API as far as sending goes: limits, reasons and all, in memory."""

import secrets

from .fake_api import FakeApi, get_recipients

UNITS_A_SEND, UNITS_A_MINUTE = 100, 6000


class FakeGmail(FakeApi):
    """``POST /upload/gmail/v1/users/me/messages/send`` with the message as it is."""

    max_body = 35 * 1024 * 1024
    units_a_minute = UNITS_A_MINUTE

    def get_scope(self):
        return "https://www.googleapis.com/auth/gmail.send"

    def is_submission(self, method, path):
        return (method, path) == ("POST", "/upload/gmail/v1/users/me/messages/send")

    def error(self, code, text, status=400):
        words = {"domain": "global", "reason": code, "message": text}
        return {"error": {"code": status, "message": text, "errors": [words]}}

    def submit(self, account, headers, body, times):
        if headers.get("Content-Type") != "message/rfc822":
            text = f"Media type '{headers.get('Content-Type')}' is not supported."
            return 400, {}, self.error("badContent", text)
        sent = self.get_taken(account, 60.0)
        if (len(sent) + 1) * UNITS_A_SEND > self.units_a_minute:
            text = "Quota exceeded for quota metric 'Queries' and limit 'per minute'."
            return 403, {}, self.error("rateLimitExceeded", text, 403)
        if not get_recipients(body):
            return 400, {}, self.error("invalidArgument", "Recipient address required")
        self.keep(account.email, body, len(body), times)
        message_id = secrets.token_hex(8)
        return 200, {}, {"id": message_id, "threadId": message_id, "labelIds": ["SENT"]}
