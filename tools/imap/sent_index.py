"""Know which Message-IDs are in a folder, exactly and cheaply.

Servers differ in what a search by header finds (parts of words, nothing before an
index is built), so the folder's Message-IDs since the day of sending are read once
for each connection and compared here; what arrives later is read by UID, which only
grows (RFC 3501 2.3.1.1). Only a folder with very many recent messages is asked by
header, after it has proved that it finds what is there.
"""

import contextlib
import datetime
import re

from imapclient.response_parser import parse_fetch_response

from .failure import ServerRefusal
from .wire import quoted

FETCH_MESSAGES = 1_000  # in one FETCH, to stay below the limits of ``imap_wire``
CROWDED = 2_000  # recent messages from which on a search may be cheaper than reading
MESSAGES_PER_SEARCH = 1_000  # messages read in about the time of one search
CANDIDATES = 100  # messages compared after one search
SEARCHED_ID_LIMIT = 900  # octets; longer ones are found by reading
# SEARCH SINCE knows days in the server's zone (RFC 3501 6.4.4), and clocks differ.
MARGIN = datetime.timedelta(days=2)
MONTHS = (None, "Jan", "Feb", "Mar", "Apr", "May", "Jun")
MONTHS += ("Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ITEMS = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_HEADER = re.compile(rb"^message-id[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)


def normal_id(message_id):
    """Return a Message-ID as it is compared: no white space, whatever the folding.

    Octets beyond ASCII, which only raw UTF-8 headers have, are compared one by one.
    """
    octets = message_id.encode("utf-8", "surrogateescape")
    return "".join(octets.decode("latin-1").split())


def header_ids(header):
    """Return the normal Message-IDs in a header's octets; usually one."""
    values = _HEADER.findall(_FOLD.sub(b"", header))
    names = ("".join(value.decode("latin-1").split()) for value in values)
    return {name for name in names if name}


class SentIndex:
    """The Message-IDs of one folder over one connection.

    The folder is open only while it is looked at: Courier takes no APPEND into a
    folder that is open for reading. Raises what the connection raises.

    :param GuardedClient client: signed in
    :param str path: decoded path of the folder
    """

    def __init__(self, client, path):
        self._client = client
        self._wire = client.wire
        self._path = path
        self._validity = 0
        self._forget()

    def _forget(self):
        self._next_uid = None
        self._read_since = None  # from this day on all has been read
        self._crowd = None  # (day, UIDs) of a window too large to be read at once
        self._searches = 0
        self._search_works = None
        self._uids = {}

    def find(self, wanted, since):
        """Return {Message-ID: UID} of those wanted that are in the folder.

        :param set wanted: normal Message-IDs
        :param datetime.date since: earliest day of sending; None for any day
        """
        self._look_ahead()
        missing = wanted - self._uids.keys()
        if missing:
            since = since - MARGIN if since else datetime.date.min
            self._look_back(missing, since)
        self._leave()
        return {name: self._uids[name] for name in wanted & self._uids.keys()}

    def add(self, names, uid):
        """Take note of a message that was appended; its UID may be unknown."""
        for name in names:
            self._uids[name] = uid
        if uid == self._next_uid:
            self._next_uid += 1  # no need to read our own back

    def _look_ahead(self):
        """Open the folder and read what has arrived since the last look.

        EXAMINE does not touch the \\Recent flags (RFC 3501 6.3.2).
        """
        told = self._client.select_folder(self._path, readonly=True)
        validity = told.get(b"UIDVALIDITY", 0)
        if validity != self._validity:
            self._forget()
            self._validity = validity
        if not told.get(b"EXISTS", 1):
            self._next_uid = self._next_uid or told.get(b"UIDNEXT", 1)
        elif self._next_uid:
            uids = self._read(f"{self._next_uid}:*")
            self._next_uid = max(self._next_uid, max(uids, default=0) + 1)
        else:
            # What is there already is looked for when it is asked for.
            told_next = told.get(b"UIDNEXT")
            self._next_uid = told_next or max(self._read("*"), default=0) + 1

    def _leave(self):
        """Close the folder; opened for reading, none of its mail is removed.

        RFC 3501 6.4.2; UNSELECT (RFC 3691) says so itself.
        """
        with contextlib.suppress(ServerRefusal):
            if self._client.has_capability("UNSELECT"):
                self._wire.unselect()
            else:
                self._wire.close()

    def _look_back(self, missing, since):
        """Read, or search, what was there before the folder was opened."""
        if self._read_since is not None and self._read_since <= since:
            return
        if not self._crowd or self._crowd[0] > since:
            self._crowd = since, self._search("SINCE", _day(since))
        uids = self._crowd[1]
        self._searches += len(missing)
        if (
            len(uids) > CROWDED
            and self._searches * MESSAGES_PER_SEARCH < len(uids)
            and all(len(name) <= SEARCHED_ID_LIMIT for name in missing)
            and self._finds_newest()
        ):
            for name in missing:
                self._read_all(self._search_id(name))
            return
        self._read_all(uids)
        self._read_since = since
        self._crowd = None

    def _finds_newest(self):
        """Tell whether a search by header finds the newest message.

        If it does, the server does search headers, and its index is up to date.
        """
        if self._search_works is None:
            known = dict(self._uids)
            newest = max(self._read("*"), default=0)
            names = [name for name, uid in self._uids.items() if uid == newest]
            try:
                self._search_works = any(
                    len(name) <= SEARCHED_ID_LIMIT and newest in self._search_id(name)
                    for name in names
                )
            except ServerRefusal:
                self._search_works = False
            self._uids.update(known)
        return self._search_works

    def _search_id(self, name):
        """Return the UIDs that a search by Message-ID finds, exact or not."""
        try:
            value = quoted(name.encode("ascii"))
        except ValueError:
            return []
        return self._search("HEADER", "MESSAGE-ID", value)[:CANDIDATES]

    def _search(self, *criteria):
        self._wire.run("UID", "SEARCH", *criteria)
        numbers = b" ".join(self._wire.take_untagged("SEARCH")).split()
        return sorted(int(number) for number in numbers if number.isdigit())

    def _read_all(self, uids):
        known = {uid for uid in self._uids.values() if uid}
        uids = [uid for uid in uids if uid not in known]
        for start in range(0, len(uids), FETCH_MESSAGES):
            self._read(_sequence_set(uids[start : start + FETCH_MESSAGES]))

    def _read(self, sequence_set):
        """Take note of the Message-IDs of some messages and return their UIDs."""
        told = fetch_ids(self._wire, sequence_set)
        for uid, names in told.items():
            self._uids.update(dict.fromkeys(names, uid))
        return told.keys()


def fetch_ids(wire, sequence_set):
    """Return {UID: Message-IDs} of some messages of the open folder.

    Not with IMAPClient's ``fetch``, which knows no ranges. Courier answers with another
    spelling of the item than it was asked for.
    """
    wire.run("UID", "FETCH", sequence_set, _ITEMS)
    told = parse_fetch_response(wire.take_untagged("FETCH"))
    return {
        uid: header_ids(value or b"")
        for uid, mail in told.items()
        for item, value in mail.items()
        if item.startswith(b"BODY[HEADER")
    }


def _sequence_set(uids):
    """Return sorted UIDs as a sequence set, e.g. 4:7,9 (RFC 3501 9)."""
    ranges = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(f"{a}:{b}" if a < b else str(a) for a, b in ranges)


def _day(date):
    """Return a date as SEARCH wants it; no server knows years before 1970."""
    year = max(date.year, 1970)
    return f"{date.day}-{MONTHS[date.month]}-{year}"
