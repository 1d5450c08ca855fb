"""Microsoft Graph: what is too large for one request is a draft first, then sent.

https://learn.microsoft.com/graph/outlook-large-attachments: the message goes without
its large files as a draft, each file is attached to it, the draft is sent. Until the
last request nobody gets anything, so whatever fails before it is tried again later.

https://learn.microsoft.com/graph/outlook-immutable-id: the draft's id stays the same.
"""

import base64
import json
from dataclasses import replace
from urllib.parse import quote

from .base import Outcome
from .graph_parts import File, UnsplittableMessage, get_addresses, split
from .http.connection import as_object, as_text
from .http.exchange import Answer, Broken, Exchange
from .http.failure import ApiFailure
from .http.outcome import judge_broken
from .http.recipients import to_key
from .smtp.reply import Phase

# A file goes in one request below this size in bytes, else in several: one request
# was seen to take 3,145,611 bytes at most, several to need 2,097,152 at least.
SESSION_BYTES = 3_000_000
# Of one of several requests: less than 4 MB, a multiple of 320 KiB.
RANGE_BYTES = 12 * 320 * 1024

_JSON = {"Content-Type": "application/json", "Prefer": 'IdType="ImmutableId"'}
_MIME = {**_JSON, "Content-Type": "text/plain"}
_RECIPIENTS = {"to": "toRecipients", "cc": "ccRecipients", "bcc": "bccRecipients"}
# An address where a file is put says so when its time is over.
_EXPIRED = (401, 403, 404, 410)


class Drafts:
    """The way through Drafts; mixed into the transport."""

    keeps_drafts = True
    _uploads = None  # files go to another server, on a connection of their own

    def _submit_draft(self, message_bytes: bytes, not_before: float) -> Answer:
        """Return the answer to the request that sends the draft.

        :raises ApiFailure: nobody got it, or nobody knows (``uncertain``)
        """
        try:
            head, files = split(message_bytes, self.mime_bytes)
        except UnsplittableMessage as error:
            raise self._refuse("too_big", str(error)) from None
        draft_id, draft = self._create_draft(head, not_before)
        try:
            self._check_draft(draft_id, draft, get_addresses(message_bytes))
            for file in files:
                self._attach(draft_id, file)
            self.on_draft(draft_id, True)
        except BaseException:
            self._drop(draft_id)
            raise
        return self._send_draft(draft_id)

    def discard(self, draft_id, message_id):
        """Replace: delete a draft; one that is gone is as good.

        One whose id was not known yet is found in Drafts by its Message-ID.
        """
        if draft_id:
            self._delete(draft_id)
            return
        quoted = message_id.replace("'", "''")
        query = quote(f"internetMessageId eq '{quoted}'", safe="")
        path = f"/mailFolders/drafts/messages?$select=id&$filter={query}"
        listed = self._step((200,), "GET", path).data.get("value")
        for entry in map(as_object, listed if isinstance(listed, list) else []):
            self._delete(as_text(entry.get("id")))

    def _delete(self, draft_id):
        self._step((204, 404), "DELETE", _path(draft_id))

    def close(self):
        """Extend: files have a connection of their own."""
        super().close()
        if self._uploads:
            self._uploads.drop()

    # -- the steps -----------------------------------------------------------------

    def _create_draft(self, head, not_before):
        """Return the draft's id, and the draft as the provider has understood it."""
        body = base64.b64encode(head)
        answer = self._step((201,), "POST", "/messages", _MIME, body, not_before)
        draft_id = as_text(answer.data.get("id"))
        if not draft_id:
            raise self._fail_step(answer)
        try:
            self.on_draft(draft_id, False)
        except BaseException:
            self._drop(draft_id)
            raise
        return draft_id, answer.data

    def _check_draft(self, draft_id, draft, meant):
        """Have the draft name exactly whom the headers name, each where they do.

        :raises ApiFailure: the provider understands it in another way
        """
        if _read_recipients(draft) == meant:
            return
        values = {
            _RECIPIENTS[kind]: [{"emailAddress": {"address": who}} for who in named]
            for kind, named in meant.items()
        }
        body = json.dumps(values).encode()
        answer = self._step((200,), "PATCH", _path(draft_id), _JSON, body)
        if _read_recipients(answer.data) != meant:
            text = "The draft names other recipients than the email."
            raise self._refuse("recipients", text)

    def _attach(self, draft_id, file: File):
        path = f"{_path(draft_id)}/attachments"
        if len(file.content) < SESSION_BYTES:
            values = {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "name": file.name,
                "contentType": file.kind,
                "contentBytes": base64.b64encode(file.content).decode(),
            }
            self._step((201,), "POST", path, _JSON, json.dumps(values).encode())
            return
        item = {
            "attachmentType": "file",
            "name": file.name,
            "contentType": file.kind,
            "size": len(file.content),
        }
        body = json.dumps({"AttachmentItem": item}).encode()
        answer = self._step((201,), "POST", f"{path}/createUploadSession", _JSON, body)
        url = as_text(answer.data.get("uploadUrl"))
        # whoever has it may write there
        self._redact.add(url)
        self._upload(url, file.content)

    def _upload(self, url, content):
        """Put a file where the provider wants it, without our token.

        Only the last request is answered with 201; another one that is would leave a
        part of the file out.
        """
        total = len(content)
        for start in range(0, total, RANGE_BYTES):
            part = content[start : start + RANGE_BYTES]
            end = start + len(part)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {start}-{end - 1}/{total}",
            }
            answer = self._put(url, headers, part)
            if answer.status != (201 if end == total else 200):
                raise self._fail_step(answer, answer.status in _EXPIRED)

    def _put(self, url, headers, body):
        if not self._uploads:
            self._uploads = Exchange(self.deadline, self._access.ca_bundle)
        self._uploads.deadline = self.deadline
        try:
            return self._uploads.ask("PUT", url, headers, body)
        except Broken as broken:
            # nobody gets anything by it, however far it has come
            phase = Phase.BODY if broken.phase is Phase.DOT else broken.phase
            outcome = judge_broken(Broken(phase, broken.cause))
            raise self._fail(phase, outcome, broken.cause) from None

    def _send_draft(self, draft_id):
        try:
            answer = self._ask_about(f"{_path(draft_id)}/send", "POST", _JSON)
            if self._is_gone(answer):
                raise self._make_certain(self._failure(answer), is_gone=True)
            if answer.status != 202:
                raise self._failure(answer)
        except ApiFailure as failure:
            if failure.outcome.kind != "uncertain":
                self._drop(draft_id)
            raise
        return answer

    def _drop(self, draft_id):
        """Delete a draft at once if that can be done; else its id is known."""
        try:
            self._delete(draft_id)
        except ApiFailure:
            return
        self.on_draft("", False)

    # -- requests by which nobody gets any email -------------------------------------

    def _ask_about(self, path, method, headers, body=b"", not_before=0.0):
        path = self._get_path(path)
        return self._ask_twice(
            lambda: self._ask(method, path, headers, body, not_before)
        )

    def _step(self, expected, method, path, headers=_JSON, body=b"", not_before=0.0):
        """Make one of these requests.

        :param expected: the statuses that are documented for a success
        """
        try:
            answer = self._ask_about(path, method, headers, body, not_before)
        except ApiFailure as failure:
            raise self._make_certain(failure) from None
        if answer.status not in expected:
            raise self._fail_step(answer)
        return answer

    def _fail_step(self, answer: Answer, is_gone=False) -> ApiFailure:
        failure = self._failure(replace(answer, phase=Phase.BODY))
        return self._make_certain(failure, is_gone or self._is_gone(answer))

    def _is_gone(self, answer):
        """Tell whether the draft is not there any more: its owner has deleted it."""
        return self._read_error(answer)[0] == "ErrorItemNotFound"

    def _make_certain(self, failure, is_gone=False):
        """Return the failure of a step before the last one: there is no doubt.

        :param is_gone: the draft, or the place for a file, was there a moment ago
        """
        outcome = failure.outcome
        if outcome.kind == "uncertain" or is_gone:
            outcome = Outcome("deferred", "mail", "draft", reply=outcome.reply)
        elif outcome.hold == "consent":
            # others need less
            reason = "draft_permission"
            outcome = Outcome("deferred", "mail", reason, reply=outcome.reply)
        return self._fail(failure.phase, outcome, failure.cause)


def _path(draft_id):
    return f"/messages/{quote(draft_id, safe='')}"


def _read_recipients(draft):
    """Return the addresses of a draft by kind, to compare."""
    found = {}
    for kind, name in _RECIPIENTS.items():
        listed = draft.get(name)
        entries = map(as_object, listed if isinstance(listed, list) else [])
        named = (
            as_object(entry.get("emailAddress")).get("address") for entry in entries
        )
        found[kind] = sorted(to_key(as_text(address)) for address in named)
    return found
