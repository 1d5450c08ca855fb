# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""A file of leads as people keep them: CSV with at least a name and an address."""

import csv
from dataclasses import dataclass
from pathlib import Path

from odoo.tools import email_normalize

from .console import DevError

REQUIRED = ("name", "email")
_LONGEST_LIST = 5
"""How many faulty lines one sentence names."""


@dataclass(frozen=True)
class Lead:
    """One row; `address` is the address in the form Odoo compares by."""

    name: str
    email: str
    company: str
    address: str


def read(path: Path) -> list[Lead]:
    """Read and check a whole file.

    :raise DevError: one sentence that says what is wrong, where, and what is wanted
    """
    rows = _rows(path)
    leads, seen, invalid, repeated = [], {}, [], []
    for line, row in rows:
        email = row["email"]
        address = email_normalize(email)
        if not address or not row["name"]:
            invalid.append(f"line {line} ({email or 'no address'})")
        elif address in seen:
            repeated.append(f"line {line} ({email}, as line {seen[address]})")
        else:
            seen[address] = line
            leads.append(Lead(row["name"], email, row.get("company") or "", address))
    if invalid:
        raise DevError(
            f"{path}: each lead needs a name and one valid email address; "
            f"correct {_some(invalid)}."
        )
    if repeated:
        raise DevError(
            f"{path}: a mailing writes to each address once; "
            f"remove the repeated {_some(repeated)}."
        )
    if not leads:
        raise DevError(f"{path} has no leads below its heading line.")
    return leads


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows that are not empty, with their line numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DevError(f"There is no file {path}.") from None
    except OSError as error:
        raise DevError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DevError(
            f"{path} is not UTF-8 text (byte {error.start + 1}): save it as UTF-8."
        ) from None
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        fields = [(field or "").strip().lower() for field in reader.fieldnames or ()]
        missing = [field for field in REQUIRED if field not in fields]
        if missing:
            raise DevError(
                f"{path}: the first line must name the columns name and email; "
                f"missing: {', '.join(missing)}."
            )
        reader.fieldnames = fields
        rows = []
        for row in reader:
            values = {
                key: (value or "").strip()
                for key, value in row.items()
                if key and isinstance(value, str)
            }
            values = {**dict.fromkeys(REQUIRED, ""), **values}
            if any(values.values()):
                rows.append((reader.line_num, values))
    except csv.Error as error:
        raise DevError(f"{path}, line {reader.line_num}: {error}.") from None
    return rows


def _some(items: list[str]) -> str:
    more = len(items) - _LONGEST_LIST
    shown = ", ".join(items[:_LONGEST_LIST])
    return f"{shown} and {more} more" if more > 0 else shown
