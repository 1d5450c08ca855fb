# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Everything a command needs before it can start: Odoo, Python, links."""

from concurrent.futures import ThreadPoolExecutor

from . import locks, odoo_source, python_env
from .paths import DATA, DEV, LOGS, RUN, STAMPS


def ensure() -> None:
    """Prepare `.dev/`; cheap when nothing is missing, resumable when interrupted.

    Python packages come down while Odoo does: apt and pip wait for different servers.
    """
    DEV.mkdir(exist_ok=True)
    with locks.exclusive(DEV / "lock", "the environment"):
        for folder in (DATA, LOGS, RUN, STAMPS):
            folder.mkdir(exist_ok=True)
        source = odoo_source.find()
        with ThreadPoolExecutor(2) as pool:
            python = pool.submit(python_env.ensure, source.requirements)
            odoo_source.link(source.fetch())
            python.result()
        source.complete()
        (STAMPS / "source").write_text(source.identity, encoding="utf-8")
