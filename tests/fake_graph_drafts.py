"""Drafts of Microsoft Graph: made, given files, sent or deleted, in memory."""

import base64
import binascii
import email
import email.utils
import itertools
import json
import re
import secrets
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote

# What was measured, see the discussion of microsoftgraph/msgraph-sdk-java#52.
MOST_IN_ONE, LEAST_IN_PIECES = 3_145_611, 2_097_152
MOST_IN_A_PIECE = 4 * 1024 * 1024
MAILBOX_BYTES = 35 * 1024 * 1024
_PATH = re.compile(
    r"/v1\.0/(?:me|users/[^/]+)/messages(?:/(?P<id>[^/]+)(?P<step>/.*)?)?"
)
_UPLOAD = re.compile(r"/api/v2\.0/AttachmentSessions/(?P<key>[^/]+)")
_KINDS = {"toRecipients": "To", "ccRecipients": "Cc", "bccRecipients": "Bcc"}

# The steps in their order, by which tests cut or refuse them.
STEPS = ("create", "patch", "file", "session", "put", "send", "delete", "find")
_FIND = re.compile(r"/v1\.0/(?:me|users/[^/]+)/mailFolders/drafts/messages")
_BY_MESSAGE_ID = re.compile(r"internetMessageId eq '((?:[^']|'')*)'")


@dataclass
class Draft:
    """What lies in Drafts; ``recipients`` by the names of Graph."""

    account: object
    data: bytes
    recipients: dict
    files: list = field(default_factory=list)  # (name, media type, content)


@dataclass
class _Upload:
    draft_id: str
    name: str
    kind: str
    size: int
    content: bytes = b""
    is_over: bool = False


class Drafts:
    """Mixed into the fake.

    :ivar drafts: id -> :class:`Draft`, what was neither sent nor deleted
    :ivar is_deaf_to_bcc: a draft made of MIME forgets its Bcc
    :ivar upload_headers: headers of each request that brought a piece of a file
    """

    is_deaf_to_bcc = False
    is_deaf_to_patches = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.drafts, self._uploads, self.upload_headers = {}, {}, []
        self.steps = []  # all that was asked for, in order
        self._numbers = itertools.count(1)

    def get_step(self, method, path):
        """Return which step a request is, empty for none."""
        if method == "GET" and _FIND.fullmatch(path):
            return "find"
        if _UPLOAD.fullmatch(path):
            return "put" if method == "PUT" else ""
        found = _PATH.fullmatch(path)
        if not found:
            return ""
        named = {
            ("POST", None, None): "create",
            ("PATCH", True, None): "patch",
            ("DELETE", True, None): "delete",
            ("POST", True, "/attachments"): "file",
            ("POST", True, "/attachments/createUploadSession"): "session",
            ("POST", True, "/send"): "send",
        }
        return named.get((method, bool(found["id"]) or None, found["step"]), "")

    def find_drafts(self, query, account):
        """Return the answer to who looks for drafts by their Message-ID."""
        self.steps.append("find")
        wanted = _BY_MESSAGE_ID.fullmatch(query.get("$filter", ""))[1]
        found = [
            {"id": draft_id}
            for draft_id, draft in self.drafts.items()
            if draft.account.email == account.email
            and email.message_from_bytes(draft.data)["Message-Id"]
            == wanted.replace("''", "'")
        ]
        return 200, self._ids(), {"value": found}

    def take_step(self, step, path, account, headers, body, times):
        """Return the answer to a step."""
        self.steps.append(step)
        if step == "put":
            return self._put(_UPLOAD.fullmatch(path)["key"], headers, body)
        found = _PATH.fullmatch(path)
        draft_id = found["id"] and unquote(found["id"])
        if draft_id and (
            draft_id not in self.drafts
            or self.drafts[draft_id].account.email != account.email
        ):
            text = "The specified object was not found in the store."
            return 404, self._ids(), self.error("ErrorItemNotFound", text)
        return getattr(self, f"_{step}")(draft_id, account, headers, body, times)

    def _create(self, _draft_id, account, headers, body, _times):
        if headers.get("Content-Type") != "text/plain":
            return 400, self._ids(), self.error("RequestBodyRead", "JSON expected.")
        if len(body) > self.max_body:
            return 413, {}, self.error("RequestEntityTooLarge", "Too large.")
        try:
            data = base64.b64decode(body, validate=True)
        except binascii.Error:
            text = "The MIME content is not valid base64."
            return 400, {}, self.error("ErrorMimeContentInvalidBase64String", text)
        is_immutable = 'IdType="ImmutableId"' in headers.get("Prefer", "")
        # as long as a real one, and with characters that need quoting in paths
        draft_id = f"AAk/{'=' if is_immutable else '+'}{secrets.token_hex(60)}=="
        message = email.message_from_bytes(data.partition(b"\r\n\r\n")[0])
        recipients = {
            kind: [
                address
                for _, address in email.utils.getaddresses(message.get_all(name, []))
                if not (self.is_deaf_to_bcc and name == "Bcc")
            ]
            for kind, name in _KINDS.items()
        }
        self.drafts[draft_id] = Draft(account, data, recipients)
        return 201, self._ids(), self._show(draft_id)

    def _show(self, draft_id):
        recipients = {
            kind: [{"emailAddress": {"name": a, "address": a}} for a in addresses]
            for kind, addresses in self.drafts[draft_id].recipients.items()
        }
        return {"id": draft_id, "isDraft": True, **recipients}

    def _patch(self, draft_id, _account, _headers, body, _times):
        for kind, entries in json.loads(body).items():
            if not self.is_deaf_to_patches:
                self.drafts[draft_id].recipients[kind] = [
                    entry["emailAddress"]["address"] for entry in entries
                ]
        return 200, self._ids(), self._show(draft_id)

    def _delete(self, draft_id, *_args):
        del self.drafts[draft_id]
        return 204, self._ids(), None

    def _file(self, draft_id, _account, _headers, body, _times):
        if len(body) > MOST_IN_A_PIECE:
            return 413, {}, self.error("RequestEntityTooLarge", "Too large.")
        values = json.loads(body)
        content = base64.b64decode(values["contentBytes"], validate=True)
        if len(content) > MOST_IN_ONE:
            return 413, {}, self.error("RequestEntityTooLarge", "Too large.")
        file = (values["name"], values["contentType"], content)
        self.drafts[draft_id].files.append(file)
        return 201, self._ids(), {"id": f"file-{next(self._numbers)}"}

    def _session(self, draft_id, _account, _headers, body, _times):
        item = json.loads(body)["AttachmentItem"]
        if item["size"] < LEAST_IN_PIECES:
            code = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"
            return 400, self._ids(), self.error(code, "Too small for a session.")
        key = secrets.token_urlsafe(24)
        self._uploads[key] = _Upload(
            draft_id, item["name"], item["contentType"], item["size"]
        )
        url = f"{self.url}/api/v2.0/AttachmentSessions/{key}?authtoken={key}"
        return 201, self._ids(), {"uploadUrl": url, "nextExpectedRanges": ["0-"]}

    def _put(self, key, headers, body):
        self.upload_headers.append(dict(headers))
        upload = self._uploads.get(key)
        if "Authorization" in headers:
            text = "The audience claim value is invalid for current resource."
            return 401, {}, self.error("InvalidAudienceForResource", text)
        if not upload or upload.is_over or upload.draft_id not in self.drafts:
            return 401, {}, self.error("InvalidAuthenticationToken", "Expired.")
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers["Content-Range"])
        start, end, total = map(int, found.groups())
        is_right = (
            start == len(upload.content)
            and end - start + 1 == len(body) <= MOST_IN_A_PIECE
            and total == upload.size
        )
        if not is_right:
            return 416, {}, self.error("InvalidContentRange", "Not expected.")
        upload.content += body
        if len(upload.content) < total:
            expected = {"nextExpectedRanges": [str(len(upload.content))]}
            return 200, {}, expected
        upload.is_over = True
        file = (upload.name, upload.kind, upload.content)
        self.drafts[upload.draft_id].files.append(file)
        return 201, {"Location": f"{self.url}/file"}, None

    def _send(self, draft_id, account, _headers, _body, times):
        draft = self.drafts[draft_id]
        files = [content for _name, _kind, content in draft.files]
        size = len(draft.data) + sum(map(len, files))
        if size > MAILBOX_BYTES:
            text = "The message exceeds the maximum supported size."
            return 400, self._ids(), self.error("ErrorMessageSizeExceeded", text)
        named = [who for addresses in draft.recipients.values() for who in addresses]
        if not named:
            text = "At least one recipient is not valid."
            return 400, self._ids(), self.error("ErrorInvalidRecipients", text)
        refusal = self.judge_sender(account, draft.data)
        if refusal:
            return refusal
        del self.drafts[draft_id]
        self.keep(account.email, _join(draft), size, times, named)
        return 202, self._ids(), None


def _join(draft):
    """Return the message with its files, as whoever gets it reads it."""
    if not draft.files:
        return draft.data
    message = EmailMessage()
    message.make_mixed()
    for name, kind, content in draft.files:
        part = EmailMessage()
        maintype, _, subtype = kind.partition("/")
        part.set_content(
            content,
            maintype=maintype,
            subtype=subtype or "octet-stream",
            disposition="attachment",
            filename=name,
        )
        message.attach(part)
    head, _, rest = draft.data.partition(b"\r\n\r\n")
    boundary = email.message_from_bytes(head + b"\r\n\r\n").get_boundary()
    end = f"--{boundary}--".encode()
    parts = [
        f"--{boundary}\r\n".encode()
        + part.as_bytes(policy=part.policy.clone(linesep="\r\n"))
        for part in message.iter_parts()
    ]
    kept = rest.rpartition(end)[0]
    return head + b"\r\n\r\n" + kept + b"\r\n".join(parts) + b"\r\n" + end + b"\r\n"
