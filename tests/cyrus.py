"""Debian's Cyrus: the Sent folder is flagged, and a quota can be full."""

from .debian_room import Room

SETTINGS = """\
configdirectory: /var/lib/cyrus
defaultpartition: default
partition-default: /var/spool/cyrus/mail
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
idlesocket: /run/cyrus/socket/idle
syslog_prefix: cyrus
admins: cyrus
unixhierarchysep: yes
altnamespace: {altnamespace}
autocreate_quota: {quota_kb}
autocreate_inbox_folders: Sent
xlist-sent: Sent
allowplaintext: no
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /var/lib/cyrus/sasldb2
tls_server_cert: {certificate}
tls_server_key: {key}
"""
SERVICES = """\
START {{
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="imapd" listen="127.0.0.1:{port}" prefork=1
}}
"""
COMMAND = """\
set -e
mkdir -p /var/lib/cyrus/db /var/lib/cyrus/socket /var/spool/cyrus/mail \
/run/cyrus/socket /run/cyrus/proc /run/cyrus/lock
printf %s "$(cat {directory}/password)" | \
saslpasswd2 -p -c -f /var/lib/cyrus/sasldb2 -u {host} {user}
chown -R cyrus:cyrus /var/lib/cyrus /var/spool/cyrus /run/cyrus {directory}/key.pem
exec cyrmaster -D
"""


class Cyrus(Room):
    """A running server with one mailbox, made at its first login.

    :param quota_kb: its size, 0 for no limit
    :param altnamespace: folders stand beside INBOX, not below it
    """

    def __init__(self, ca, user, password, quota_kb=0, altnamespace=True):
        super().__init__("cyrus", ["cyrus"])
        self._user = user
        (self.directory / "password").write_text(password)
        certificate, key = self.write_certificate(ca)
        self.write(
            "/etc/imapd.conf",
            SETTINGS.format(
                certificate=certificate,
                key=key,
                quota_kb=quota_kb,
                altnamespace="yes" if altnamespace else "no",
            ),
        )
        self.write("/etc/cyrus.conf", SERVICES.format(port=self.port))

    def command(self):
        return COMMAND.format(
            directory=self.directory, user=self._user, host="$(hostname)"
        )
