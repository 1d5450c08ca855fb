"""Send for all mailboxes of an organisation: with its key, without anybody's consent.

One file a provider implements ``_acquire``. The rest of the life of an access token is
that of a sign-in: ``tokens`` is one opaque text that names the mailbox, and goes into
the vault.
"""

from .base import as_text
from .consent import OauthToken, expiry
from .errors import ConsentDead, ProviderMisconfigured, ProviderUnavailable


class Organisation:
    """What stands before a ``Provider`` to make an organisation account of it."""

    def enroll(self, mailbox):
        """Return ``tokens`` for a mailbox; asks nobody.

        :param mailbox: its address, or the name of its user
        """
        return self._pack({}, transport=self.api_transport, mailbox=mailbox)

    def check(self):
        """Find out whether the provider accepts the key, without any mailbox.

        :raise OAuthError: it does not
        """
        with self._own_errors():
            self._fetch("")

    def revoke(self, tokens):
        """Replace: nobody has granted anything for this one mailbox."""
        return False

    def _refresh(self, content):
        payload = self._fetch(content["mailbox"])
        secret = payload["access_token"]
        kept = {name: content[name] for name in ("transport", "mailbox")}
        return OauthToken(
            expires_at=expiry(payload),
            is_refreshed=True,
            access_token_secret=secret,
            tokens=self._pack(payload, access_token=secret, **kept),
        )

    def _fetch(self, mailbox):
        payload = self._acquire(mailbox)
        if not as_text(payload.get("access_token")):
            raise ProviderUnavailable("unreadable", detail="access token")
        return payload

    def _cached_access(self, content):
        return content.get("access_token"), content.get("expires_at") or 0.0

    def _unpack(self, tokens):
        """Extend: what a person has granted is none of ours."""
        content = super()._unpack(tokens)
        if not as_text(content.get("mailbox")):
            raise ConsentDead("unknown", detail="stored tokens not readable")
        return content

    def _diagnose(self, answer):
        """Extend: there is no person who could sign in again."""
        kind, code, reference = super()._diagnose(answer)
        if kind is ConsentDead:
            code = code if code == "admin_policy" else "organisation"
            kind = ProviderMisconfigured
        return kind, code, reference

    # -- what a provider implements ------------------------------------------------

    def _acquire(self, mailbox):
        """Return the token response for a mailbox; empty: for none."""
        raise NotImplementedError
