"""The command ``odoo-bin email_alias_keys``; Odoo finds it by its place and name."""

import optparse
import sys

from odoo import api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config


class EmailAliasKeys(Command):
    """Show how many secrets of email aliases each key opens, and let old keys retire"""

    name = "email_alias_keys"

    def run(self, args):
        """Work on each database of ``-d``, also while Odoo serves it."""
        parser = config.parser
        parser.prog = self.prog
        group = optparse.OptionGroup(parser, "Keys of email aliases", self.__doc__)
        group.add_option(
            "--reencrypt",
            action="store_true",
            help="Encrypt every secret anew with the first key.",
        )
        parser.add_option_group(group)
        options = config.parse_config(args, setup_logging=True)
        names = config["db_name"]
        if not names:
            sys.exit(f"{self.prog}: name a database with -d.")
        is_done = [self._show(name, options.reencrypt) for name in names]
        sys.exit(0 if all(is_done) else 1)

    def _show(self, name, is_reencrypting):
        """Print what there is to say of one database.

        :return: whether the first key opens everything there
        """
        with Registry(name).cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            if "user.email.alias.keys" not in env:
                sys.stdout.write(f"{name}: the add-on is not installed.\n")
                return True
            Keys = env["user.email.alias.keys"]
            if is_reencrypting:
                done, closed, busy = Keys._reencrypt__()
                cr.commit()
                env.invalidate_all()
                sys.stdout.write(
                    f"{name}: {done} secrets encrypted anew, {closed} stay closed, "
                    f"{busy} aliases in use.\n"
                )
            for line in Keys._get_key_lines__():
                sys.stdout.write(f"{name}: {line}\n")
            return not any(
                place != 0 and count for _key, place, count in Keys._count_by_key__()
            )
