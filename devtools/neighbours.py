# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Add-ons of the Odoo Community Association that change how mail is made or sent.

Fetched from PyPI as wheels; nothing of them is kept in the repository.
"""

import hashlib
import shutil
from pathlib import Path

from . import python_env
from .console import step
from .paths import DEV

NEIGHBOURS = {
    "mail_activity_team": "19.0.1.2.0.4",
    "mail_forward": "19.0.1.0.1.4",
    "mail_optional_autofollow": "19.0.1.0.0.7",
    "mail_outbound_static": "19.0.1.0.0.5",
    "mail_partner_opt_out": "19.0.1.0.0.5",
    "mail_post_defer": "19.0.1.0.0.4",
    "mail_restrict_follower_selection": "19.0.1.0.0.11",
    "mail_show_follower": "19.0.1.0.0.2",
    "mail_tracking": "19.0.1.0.6.2",
    "mail_tracking_mass_mailing": "19.0.1.0.0.3",
    "queue_job": "19.0.2.4.0.1",
}
"""Add-on -> version of its wheel."""

LIBRARIES = ("openupgradelib",)
"""What they want of Python besides Odoo's own packages: queue_job's manifest does."""

_FOLDER = DEV / "neighbours"


def fetch() -> Path:
    """Return the folder that holds the add-ons, fetched if need be."""
    wanted = [f"odoo-addon-{name}=={number}" for name, number in NEIGHBOURS.items()]
    digest = hashlib.sha256("\n".join([*wanted, *LIBRARIES]).encode()).hexdigest()
    stamp, addons = _FOLDER / "stamp", _FOLDER / "odoo" / "addons"
    if not stamp.exists() or stamp.read_text() != digest:
        with step("neighbours"):
            shutil.rmtree(_FOLDER, ignore_errors=True)
            python_env.pip_install("--no-deps", "--target", str(_FOLDER), *wanted)
            python_env.pip_install(*LIBRARIES)
            stamp.write_text(digest)
    return addons
