"""Configuration files for ``dovecot.py``: Dovecot 2.3 and 2.4 differ in syntax."""

_HEAD_24 = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"


def configuration(version, **options):
    """Return a configuration's text.

    :param tuple version: (major, minor)
    :param options: directory, port, tls_port, owner (user, group), is_root, and the
        options of ``Dovecot``
    """
    is_new = version >= (2, 4)
    options.setdefault("special_use", {})
    options.setdefault("prefix", "")
    options.setdefault("separator", "/")
    options.setdefault("quota_kb", None)
    options.setdefault("capability", None)
    options.setdefault("storage", "maildir")
    syntax, head = (_syntax_24, _HEAD_24) if is_new else (_syntax_23, "")
    texts = _common(**options), syntax(**options), _services(is_new, **options)
    return head + "\n".join(texts) + "\n"


def _services(is_new, *, port, tls_port, is_root, owner, **_options):
    tls = "yes"
    lines = [
        "service imap-login {",
        f"  inet_listener imap {{\n    port = {port}\n  }}",
        f"  inet_listener imaps {{\n    port = {tls_port}\n    ssl = {tls}\n  }}",
        "  chroot =",
        "  process_min_avail = 1",
        "}",
        "service anvil {\n  chroot =\n}",
    ]
    if not is_root:
        lines += [
            f"default_internal_user = {owner[0]}",
            f"default_internal_group = {owner[1]}",
            f"default_login_user = {owner[0]}",
        ]
    return "\n".join(lines)


def _mailboxes(special_use):
    return "\n".join(
        f'  mailbox "{name}" {{\n    special_use = {flag}\n    auto = create\n  }}'
        for name, flag in special_use.items()
    )


def _common(*, directory, prefix, separator, special_use, **_more):
    return f"""
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols = imap
listen = 127.0.0.1
first_valid_uid = 0
auth_failure_delay = 0
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = {separator}
{_mailboxes(special_use)}
}}
"""


def _syntax_23(*, directory, owner, quota_kb, capability, storage, **_more):
    text = f"""
ssl = yes
ssl_cert = <{directory}/cert.pem
ssl_key = <{directory}/key.pem
disable_plaintext_auth = yes
mail_location = {storage}:~/{storage}
passdb {{
  driver = passwd-file
  args = {directory}/passwd
}}
userdb {{
  driver = static
  args = uid={owner[0]} gid={owner[1]} home={directory}/mail/%u
}}
"""
    if quota_kb is not None:
        text += f"""
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage={quota_kb}K
  quota_grace = 0
}}
"""
    if capability:
        text += f"\nimap_capability = {capability}\n"
    return text


def _syntax_24(*, directory, owner, quota_kb, capability, storage, **_more):
    text = f"""
ssl = yes
ssl_server_cert_file = {directory}/cert.pem
ssl_server_key_file = {directory}/key.pem
auth_allow_cleartext = no
mail_driver = {storage}
mail_path = ~/{storage}
mail_home = {directory}/mail/%{{user}}
mail_uid = {owner[0]}
mail_gid = {owner[1]}
passdb passwd-file {{
  passwd_file_path = {directory}/passwd
}}
userdb static {{
  fields {{
    uid = {owner[0]}
    gid = {owner[1]}
    home = {directory}/mail/%{{user}}
  }}
}}
"""
    if quota_kb is not None:
        text += f"""
mail_plugins {{
  quota = yes
}}
protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
}}
quota_storage_grace = 0
quota "User quota" {{
  driver = count
  quota_storage_size = {quota_kb}K
}}
"""
    if capability:
        words = "\n".join(f"  {word} = yes" for word in capability.split())
        text += f"\nimap_capability {{\n{words}\n}}\n"
    return text
