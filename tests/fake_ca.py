"""A certificate authority for fakes, and the good and bad certificates it issues."""

import datetime
import ssl
from pathlib import Path

import trustme


class Ca:
    """A certificate authority of its own and server certificates, good and bad."""

    def __init__(self, directory):
        self.bundle = str(Path(directory) / "ca.pem")
        self._ca = trustme.CA()
        self._other_ca = trustme.CA()
        self._ca.cert_pem.write_to_path(self.bundle)

    def server_context(self, kind: str = "valid") -> ssl.SSLContext:
        """Return the server's side; ``valid``, ``expired``, ``wrong_host``,
        ``wrong_ca``, ``self_signed``, ``tls_1_1``, ``name_only`` (no addresses)."""
        ca = self._other_ca if kind in ("wrong_ca", "self_signed") else self._ca
        names = ("other.example",) if kind == "wrong_host" else ("localhost",)
        if kind not in ("wrong_host", "name_only"):
            names += ("127.0.0.1", "::1")
        limits = {}
        if kind == "expired":
            now = datetime.datetime.now(datetime.timezone.utc)
            limits["not_before"] = now - datetime.timedelta(days=30)
            limits["not_after"] = now - datetime.timedelta(days=1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "self_signed":  # the root itself plays the server
            ca.configure_trust(context)
            with ca.private_key_pem.tempfile() as key, ca.cert_pem.tempfile() as cert:
                context.load_cert_chain(cert, key)
        else:
            ca.issue_cert(*names, **limits).configure_cert(context)
        if kind == "tls_1_1":
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    @property
    def authority(self) -> trustme.CA:
        return self._ca

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.bundle)


def make_ca(directory) -> Ca:
    """Write ``ca.pem`` to the directory (for SSL_CERT_FILE) and return the CA."""
    return Ca(directory)
