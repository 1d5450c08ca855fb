"""Debian's OpenSMTPD: it takes a hundred mails on a connection, then no more.

Without TLS and logins: Debian 12's has no TLS with OpenSSL 3.
"""

from .debian_room import Room

SESSION_MAILS = 100  # smtp_session.c: SMTP_MAXMAIL

SETTINGS = """\
queue ttl 1h
listen on 127.0.0.1 port {port} hostname localhost no-dsn
action "keep" maildir "{mail}" virtual {{ "@" = "nobody" }}
match from any for any action "keep"
"""


class OpenSmtpd(Room):
    """A running server."""

    def __init__(self):
        super().__init__("opensmtpd", ["opensmtpd", "opensmtpq"])
        self.mail = self.make_folder("mail")
        self.mail.chmod(0o777)
        self.write("/etc/smtpd.conf", SETTINGS.format(port=self.port, mail=self.mail))

    def command(self):
        return "mkdir -p /run /var/lib/opensmtpd/empty && exec /usr/sbin/smtpd -d"

    def mails(self, count):
        """Return the files of the messages as soon as there are so many."""
        return self.wait_for_files(self.mail / "new", count)
