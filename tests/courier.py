"""Debian's Courier: folders below INBOX, no flags for their use, read-only when asked.

It refuses an APPEND to the folder that is open read-only, and shows a new message to
nobody who has opened the folder before.
"""

import base64
import hashlib

from .debian_room import Room

SETTINGS = """\
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE SORT QUOTA IDLE AUTH=PLAIN"
IMAP_CAPABILITY_TLS="$IMAP_CAPABILITY"
IMAP_KEYWORDS=1
IMAP_ACL=1
IMAP_CHECK_ALL_FOLDERS=0
IMAP_UMASK=022
IMAP_USELOCKS=1
IMAP_STARTTLS=YES
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE={certificate}
TLS_VERIFYPEER=NONE
PORT={port}
"""
COMMAND = """\
set -ae
mkdir -p /run/courier/authdaemon
. /etc/courier/authdaemonrc
makeuserdb
/usr/lib/courier/courier-authlib/authdaemond &
. /etc/courier/imapd
until [ -S /run/courier/authdaemon/socket ]; do sleep 0.02; done
exec couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup \
-noidentlookup $PORT /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
"""


class Courier(Room):
    """A running server with one mailbox.

    :param folders: those that are there from the start, besides INBOX
    """

    def __init__(self, ca, user, password, folders=("Sent",)):
        super().__init__("courier", ["courier"])
        uid = self.uids["courier"]
        home = self.make_folder("home", "courier")
        for name in ("", *(f".{folder}" for folder in folders)):
            for part in ("", "cur", "new", "tmp"):
                self.make_folder(f"home/Maildir/{name}/{part}".rstrip("/"), "courier")
            if name:
                (home / "Maildir" / name / "maildirfolder").touch()
        certificate, key = self.write_certificate(ca)
        with certificate.open("ab") as both:
            both.write(key.read_bytes())
        self.write(
            "/etc/courier/imapd",
            SETTINGS.format(certificate=certificate, port=self.port),
        )
        digest = hashlib.sha256(password.encode()).digest()
        self.write(
            "/etc/courier/authdaemonrc",
            'authmodulelist="authuserdb"\ndaemons=2\n'
            "authdaemonvar=/run/courier/authdaemon\n",
        )
        self.write(
            "/etc/courier/userdb",
            f"{user}\tuid={uid}|gid={uid}|home={home}|systempw={{SHA256}}{base64.b64encode(digest).decode()}\n",
            mode=0o600,
        )

    def command(self):
        return COMMAND
