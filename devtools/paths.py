# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Where things are. Everything that is made goes below `.dev/`."""

from pathlib import Path

ADDON = "user_email_alias"
ROOT = Path(__file__).resolve().parent.parent
DEVTOOLS = ROOT / "devtools"
DEV = ROOT / ".dev"

ODOO = DEV / "odoo"
"""Link to the folder that holds the Python package `odoo`."""

ADDONS = DEV / "addons"
BRIDGES = ROOT / "bridges"
"""Small add-ons beside ours, each for one of Odoo's apps."""

VENV = DEV / "venv"
PYTHON = VENV / "bin" / "python"
STAMPS = DEV / "stamps"
DATA = DEV / "data"
RUN = DEV / "run"
LOGS = DEV / "log"
SCREENSHOTS = DEV / "screenshots"
