"""The Gmail API: ``users.messages.send`` by upload, the message as it is.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send:
up to 35 MB as ``message/rfc822``. Each message is kept in Sent.
"""

from .http.connection import ApiTransport, as_object, as_text
from .smtp.reply import Reply, sanitise

_PATH = "/upload/gmail/v1/users/me/messages/send?uploadType=media"


class GmailTransport(ApiTransport):
    """Submission as the signed-in account, with the right ``gmail.send`` alone."""

    label = "Google"
    default_url = "https://gmail.googleapis.com"
    permissions = ("https://www.googleapis.com/auth/gmail.send",)
    max_bytes = mime_bytes = 35 * 1024 * 1024
    # .../gmail/api/reference/quota: 6,000 units a minute for a user, 100 a message
    preset_delay_ms = 1000

    def check_sender(self, address: str) -> None:
        """Find out whether the account may send.

        :raises ApiFailure: the token, the permission, the API or the mailbox is missing
        """
        self._submit_nothing()

    def _get_submission(self, message_bytes):
        return "POST", _PATH, {"Content-Type": "message/rfc822"}, message_bytes

    def _get_receipt(self, answer):
        message_id = as_text(answer.data.get("id"))
        if answer.status != 200 or not message_id:
            return None
        return Reply(200, None, sanitise(f"Accepted by Google (id {message_id})"))

    def _read_error(self, answer):
        error = as_object(answer.data.get("error"))
        errors = error.get("errors")
        errors = errors if isinstance(errors, list) else []
        details = error.get("details")
        details = details if isinstance(details, list) else []
        reasons = [
            as_text(as_object(item).get("reason")) for item in (*errors, *details)
        ]
        code = " ".join(dict.fromkeys(filter(None, reasons)))
        return code or as_text(error.get("status")), as_text(error.get("message"))
