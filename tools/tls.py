"""The TLS context of our mail connections: verified, and made once for many of them."""

import os
import ssl
import threading
import time

# Seconds after which the machine's authorities are read anew.
LIFE_SECONDS = 300.0

_lock = threading.Lock()
# what the context was made from -> (the context, monotonic time of its making)
_contexts: dict[tuple, tuple[ssl.SSLContext, float]] = {}


def client_context() -> ssl.SSLContext:
    """Return a context like `ssl.create_default_context`, which takes 20 ms to make.

    Certificates and host names are verified against the machine's authorities, or
    those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name (openssl-env(7)). It is shared
    by connections and threads: nobody may change it.
    """
    key = _sources()
    now = time.monotonic()
    with _lock:
        context, made_at = _contexts.get(key, (None, 0.0))
        if context is None or now - made_at > LIFE_SECONDS:
            context = ssl.create_default_context()
            _contexts.clear()
            _contexts[key] = context, now
        return context


def _sources():
    """Return what the authorities are read from, with the time of its last change."""
    paths = ssl.get_default_verify_paths()
    return tuple(
        (path, os.stat(path).st_mtime_ns if os.path.exists(path) else None)
        for path in (paths.cafile, paths.capath)
        if path
    )
