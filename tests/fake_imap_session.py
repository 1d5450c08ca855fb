"""What the fake IMAP server answers to each command of one connection."""

import base64
import contextlib
import re
import time


class Session:
    """One connection to a `FakeImap`, whose knobs it obeys."""

    def __init__(self, fake, sock):
        self.fake = fake
        self.sock = sock
        self.pending = b""
        self.folder = None
        self.is_reading = False
        self.seen = 0

    def run(self):
        with contextlib.suppress(OSError, ValueError, EOFError):
            if self.fake.implicit_tls:
                self.start_tls()
            if callable(self.fake.greeting):
                self.fake.greeting(self, None)
            self.send(self.fake.greeting)
            while self.serve_one():
                pass
        self.sock.close()

    def start_tls(self):
        self.sock = self.fake.context.wrap_socket(self.sock, server_side=True)

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.sock.sendall(data + b"\r\n")

    def receive(self, size=None):
        """Return a line without its end, or so many octets."""
        while b"\n" not in self.pending if size is None else len(self.pending) < size:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.fake.received += data
            self.pending += data
        end = self.pending.index(b"\n") + 1 if size is None else size
        data, self.pending = self.pending[:end], self.pending[end:]
        return data.rstrip(b"\r\n") if size is None else data

    def receive_command(self):
        """Return the line with literals taken out, and the literals."""
        line = self.receive()
        literals = []
        while match := re.search(rb"~?\{(\d+)(\+?)\}$", line):
            if not match.group(2):
                self.send("+ go on")
            literals.append(self.receive(int(match.group(1))))
            line = line[: match.start()] + b"{}" + self.receive()
        return line.decode("latin-1"), literals

    def serve_one(self):
        line, literals = self.receive_command()
        tag, name, rest = (line + "  ").split(" ", 2)
        name = name.upper()
        if name == "UID":
            name, rest = (rest + " ").split(" ", 1)
            name = f"UID {name.upper()}"
        rest = rest.strip()
        self.fake.commands.append(f"{name} {rest}".strip())
        time.sleep(self.fake.pause)
        if name == self.fake.hang_up_on:
            return False
        if name in self.fake.replies:
            reply = self.fake.replies[name]
            if callable(reply):
                return reply(self, tag)
            self.send(reply.replace("{tag}", tag))
            return True
        if name.startswith("UID ") and not self.folder:
            self.send(f"{tag} BAD no folder is open")
            return True
        handler = getattr(self, "do_" + name.lower().replace(" ", "_"), None)
        if handler is None:
            self.send(f"{tag} BAD unknown command")
            return True
        reply = handler(tag, rest, literals)
        if reply:
            self.send(f"{tag} {reply}")
        return reply is not None

    def do_capability(self, tag, rest, literals):
        self.send(f"* CAPABILITY {self.fake.capabilities}")
        return "OK done"

    def do_starttls(self, tag, rest, literals):
        self.sock.sendall(f"{tag} OK begin\r\n".encode() + self.fake.after_starttls)
        self.start_tls()
        return ""

    def do_noop(self, tag, rest, literals):
        if self.folder and self.seen != len(self.folder.messages):
            self.seen = len(self.folder.messages)
            self.send(f"* {self.seen} EXISTS")
        return "OK done"

    def do_logout(self, tag, rest, literals):
        self.send("* BYE bye")
        return "OK done"

    def do_login(self, tag, rest, literals):
        words = [_unquote(word) for word in _words(rest)]
        if self.fake.passwords.get(words[0]) == words[1]:
            return "OK welcome"
        return f"NO [AUTHENTICATIONFAILED] wrong {words[0]} {words[1]}"

    def do_authenticate(self, tag, rest, literals):
        self.send("+ ")
        said = base64.b64decode(self.receive()).decode()
        if rest.upper() == "PLAIN":
            _nobody, user, password = said.split("\0")
            good = self.fake.passwords.get(user) == password
        else:
            user, token = re.match(
                "user=(.*)\x01auth=Bearer (.*)\x01\x01", said
            ).groups()
            good = self.fake.tokens.get(user) == token
            if not good:
                error = b'{"status":"400","schemes":"Bearer"}'
                self.send(b"+ " + base64.b64encode(error))
                self.fake.received += b"<answer:" + self.receive() + b">"
        if good:
            return "OK welcome"
        echo = base64.b64encode(said.encode()).decode()
        return f"NO [AUTHENTICATIONFAILED] wrong {echo}"

    def do_id(self, tag, rest, literals):
        return "OK done"

    def do_namespace(self, tag, rest, literals):
        self.send('* NAMESPACE (("" "/")) (("Other/" "/")) NIL')
        return "OK done"

    def do_list(self, tag, rest, literals):
        for name, folder in self.fake.folders.items():
            flags = folder.flags
            self.send(f'* LIST ({flags}) "{folder.delimiter}" "{name}"')
        return "OK done"

    def do_status(self, tag, rest, literals):
        folder = self.fake.folders.get(_unquote(_words(rest)[0]))
        if not folder:
            return "NO [NONEXISTENT] no such folder"
        answer = f"UIDVALIDITY {folder.uid_validity}"
        if "MAILBOXID" in rest:
            answer += f" MAILBOXID ({folder.mailbox_id})"
        self.send(f"* STATUS {_words(rest)[0]} ({answer})")
        return "OK done"

    def do_create(self, tag, rest, literals):
        name = _unquote(_words(rest)[0])
        if self.fake.is_below_inbox and not name.upper().startswith("INBOX"):
            return "NO Invalid mailbox name"
        self.fake.create(name)
        return "OK done"

    def do_subscribe(self, tag, rest, literals):
        return "OK done"

    def do_examine(self, tag, rest, literals):
        return self.open(rest, is_reading=True)

    def do_select(self, tag, rest, literals):
        return self.open(rest, is_reading=self.fake.read_only)

    def open(self, rest, is_reading):
        self.folder = self.fake.folders.get(_unquote(_words(rest)[0]))
        if not self.folder:
            return "NO [NONEXISTENT] no such folder"
        self.is_reading = is_reading
        self.seen = len(self.folder.messages)
        self.send(f"* {self.seen} EXISTS")
        self.send(f"* OK [UIDVALIDITY {self.folder.uid_validity}] valid")
        if self.fake.has_uidplus and not self.fake.is_courier:
            self.send(f"* OK [UIDNEXT {self.folder.next_uid}] next")
        return f"OK [{'READ-ONLY' if is_reading else 'READ-WRITE'}] done"

    def do_close(self, tag, rest, literals):
        if not self.is_reading:
            self.expunge(self.folder.deleted)
        self.folder = None
        return "OK done"

    def do_unselect(self, tag, rest, literals):
        self.folder = None
        return "OK done"

    def do_expunge(self, tag, rest, literals):
        self.expunge(self.folder.deleted)
        return "OK done"

    def do_uid_expunge(self, tag, rest, literals):
        self.expunge({uid for uid in self.folder.deleted if self._is_in(uid, rest)})
        return "OK done"

    def expunge(self, uids):
        self.folder.messages[:] = [m for m in self.folder.messages if m[0] not in uids]

    def do_uid_store(self, tag, rest, literals):
        sequence_set = rest.split(" ")[0]
        self.folder.deleted.update(
            uid
            for uid, *_more in self.folder.messages
            if self._is_in(uid, sequence_set)
        )
        return "OK done"

    def do_enable(self, tag, rest, literals):
        self.send(f"* ENABLED {rest}")
        return "OK done"

    def do_myrights(self, tag, rest, literals):
        self.send(f"* MYRIGHTS {rest} {self.fake.rights}")
        return "OK done"

    def do_getquotaroot(self, tag, rest, literals):
        self.send(f'* QUOTAROOT {rest} ""')
        self.send('* QUOTA "" (STORAGE {} {})'.format(*self.fake.quota))
        return "OK done"

    def do_uid_search(self, tag, rest, literals):
        uids = [str(uid) for uid, _date, _octets in self.folder.messages]
        if rest.upper().startswith("HEADER"):
            if self.fake.search == "bad":
                return "BAD no header search here"
            wanted = _unquote(_words(rest)[2]).encode()
            uids = [str(uid) for uid in self._matching(wanted)]
        self.send("* SEARCH " + " ".join(uids))
        return "OK done"

    def _matching(self, wanted):
        for uid, _date, octets in self.folder.messages:
            header = re.sub(rb"\r\n[ \t]+", b"", octets.split(b"\r\n\r\n")[0])
            parts = {
                "exact": [wanted],
                "words": re.findall(rb"\w+", wanted),
                "nothing": [],
            }
            if any(part in header for part in parts[self.fake.search]):
                yield uid

    def do_uid_fetch(self, tag, rest, literals):
        shown = self.folder.messages
        if self.fake.is_courier:
            shown = shown[: self.seen]
        for number, (uid, _date, octets) in enumerate(shown, 1):
            if not self._is_in(uid, rest.split(" ")[0]):
                continue
            header = b"".join(
                re.findall(rb"(?im)^message-id:.*\r\n(?:[ \t].*\r\n)*", octets)
            )
            item = "BODY[HEADER.FIELDS (MESSAGE-ID)]"
            if self.fake.is_courier:
                item = item.replace("MESSAGE-ID", '"MESSAGE-ID"')
            if self.fake.quotes_headers:
                text = header.decode().replace("\r\n", "").replace("\\", "\\\\")
                text = text.replace('"', '\\"')
                self.send(f'* {number} FETCH ({item} "{text}" UID {uid})')
            else:
                head = f"* {number} FETCH (UID {uid} {item} {{{len(header)}}}\r\n"
                self.send(head.encode() + header + b")")
        return "OK done"

    def _is_in(self, uid, sequence_set):
        last = self.folder.messages[-1][0]
        for part in sequence_set.split(","):
            first, _colon, end = part.replace("*", str(last)).partition(":")
            low, high = sorted((int(first), int(end or first)))
            if low <= uid <= high:
                return True
        return False

    def do_append(self, tag, rest, literals):
        folder = self.fake.folders.get(_unquote(_words(rest)[0]))
        if not folder:
            return "NO [TRYCREATE] no such folder"
        if len(literals) > 1 and "MULTIAPPEND" not in self.fake.capabilities:
            return "BAD one at a time"
        if self.fake.is_courier and self.folder and self.is_reading:
            return "NO Current box is selected READ-ONLY."
        date = re.search(r'\) "([^"]+)"', rest).group(1).encode()
        if any(self.fake.refuses(octets) for octets in literals):
            return self.fake.refusal
        uids = [folder.add(octets, date) for octets in literals]
        if "\\Deleted" in rest and not self.fake.drops_flags:
            folder.deleted.update(uids)
        if self.fake.stores_then_hangs_up:
            self.fake.stores_then_hangs_up = False
            return None
        if not self.fake.has_uidplus:
            return "OK done"
        return f"OK [APPENDUID {folder.uid_validity} {uids[0]}:{uids[-1]}] done"


def _words(text):
    return re.findall(r'"(?:\\.|[^"\\])*"|\([^)]*\)|[^\s()"]+', text)


def _unquote(word):
    if word.startswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    return word
