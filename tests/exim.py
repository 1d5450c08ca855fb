"""Debian's Exim with the rules that hosting companies give it.

It refuses whoever greets with an IP address, as cPanel's configuration does, and
messages whose address headers no parser understands. Mail for example.org is stored,
nothing leaves.
"""

import email
import email.policy

from .debian_room import Room

SETTINGS = """\
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
spool_directory = {spool}
log_file_path = {spool}/log/%slog
log_selector = +smtp_syntax_error +smtp_protocol_error
keep_environment =
tls_certificate = {certificate}
tls_privatekey = {key}
tls_advertise_hosts = *
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
domainlist local_domains = example.org : example.com
acl_smtp_helo = check_greeting
acl_smtp_mail = check_sender
acl_smtp_rcpt = check_recipient
acl_smtp_data = check_data
queue_only_load = 100

begin acl

check_greeting:
{at_greeting}
  accept

check_sender:
{at_sender}
  accept

check_recipient:
{at_recipient}
  deny message = Access denied - Invalid HELO name (See RFC2821 4.1.1.1)
       condition = ${{if match{{$sender_helo_name}}{{\\N^[0-9.]+$\\N}}}}
  deny message = relay not permitted, authentication required
       !authenticated = *
  deny message = Unrouteable address
       domains = +local_domains
       local_parts = nobody
  accept

check_data:
  deny message = header syntax: $acl_verify_message
       !verify = header_syntax
  accept

begin routers
here:
  driver = accept
  domains = +local_domains
  transport = file

begin transports
file:
  driver = appendfile
  directory = {mail}/all
  envelope_to_add
  maildir_format
  create_directory
  user = Debian-exim

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth2:$auth3}}{{{user}:{password}}}}}
  server_set_id = $auth2
"""


class Exim(Room):
    """A running server with one account.

    :param rules: ACL statements at ``greeting``, ``sender`` and ``recipient``
    """

    def __init__(self, ca, user, password, **rules):
        super().__init__("exim", ["Debian-exim"])
        self.mail = self.make_folder("mail", "Debian-exim")
        self.spool = self.make_folder("spool", "Debian-exim")
        certificate, key = self.write_certificate(ca)
        self.write(
            "/etc/exim4/exim4.conf",
            SETTINGS.format(
                port=self.port,
                spool=self.spool,
                mail=self.mail,
                certificate=certificate,
                key=key,
                user=user,
                password=password,
                **{
                    f"at_{step}": rules.get(step, "")
                    for step in ("greeting", "sender", "recipient")
                },
            ),
        )

    def command(self):
        return "exec /usr/sbin/exim4 -bdf"

    def log(self):
        found = sorted(self.spool.glob("log/*log"))
        return super().log() + "".join(p.read_text(errors="replace") for p in found)

    def mails(self, count):
        """Return the messages as soon as there are so many; see their Envelope-To."""
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in self.wait_for_files(self.mail / "all" / "new", count)
        ]
