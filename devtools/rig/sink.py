# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""A cheap mail server that notes when MAIL FROM came and when it replied.

A program of its own (`python sink.py SOCKET`), so that its work does not share
Odoo's interpreter lock, and none of `tests/fake_smtp.py`: aiosmtpd takes 0.5 ms of CPU
for a mail, this 0.16, and what the server burns is not there to be measured. It obeys
one JSON object a line on the Unix socket. Each port has a behaviour:

``server_time``  seconds from the final dot to the reply;
``round_trip``   seconds that each piece of the client's takes, there and back;
``password``     the only one that is accepted, None: any;
``silent``       a phase that is never answered;
``reset``        a phase at which the link is reset;
``script``       phase -> reply instead of the usual one, once;
``always``       the same, each time;
``after``        [emails, phase, reply]: that reply once a connection has had so many;
``refuses``      [text, reply]: that reply to each RCPT with the text in its address;
``cuts``         recipient -> [phase, byte]: cut the link there, once.

Phases: connect, ehlo, auth, mail, rcpt, data, body, dot; for cuts also ``refuse``
(the dot has come, the message is dropped) and ``reply`` (byte of the reply).
"""

import asyncio
import base64
import json
import re
import socket
import struct
import sys
import time

HEAD_BYTES = 4096
BACKLOG = 1024
RECEIVE_BUFFER = 16_384  # bytes; small, so that a cut in a message comes in time

_ADDRESS = re.compile(rb"<([^>]*)>")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Sink:
    """All ports and everything that was accepted on them."""

    def __init__(self):
        self.behaviours = {}
        self.records = []
        self.sessions = []

    async def listen(self, behaviour, has_small_buffer=False):
        # named as TCP, else asyncio leaves Nagle's algorithm on: 40 ms for each reply
        sock = socket.socket(proto=socket.IPPROTO_TCP)
        if has_small_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        self.behaviours[port] = behaviour
        loop = asyncio.get_running_loop()
        await loop.create_server(
            lambda: Conversation(self, port), sock=sock, backlog=BACKLOG
        )
        return port

    async def obey(self, reader, writer):
        while line := await reader.readline():
            answer = await self._do(**json.loads(line))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

    async def _do(self, verb, **what):
        if verb == "listen":
            return await self.listen(**what)
        if verb == "behave":
            self.behaviours[what["port"]].update(what["behaviour"])
        if verb == "count":
            return sum(record["reply_at"] is not None for record in self.records)
        if verb == "records":
            return self.records[what.get("start", 0) :]
        if verb == "sessions":
            return self.sessions
        if verb == "clear":
            self.records.clear()
            self.sessions.clear()
        return None


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink, port):
        self.sink = sink
        self.port = port
        self.behaviour = sink.behaviours[port]
        self.session = {"port": port, "at": time.monotonic(), "logins": 0, "mails": 0}
        sink.sessions.append(self.session)
        self.number = len(sink.sessions)
        self.buffer = bytearray()
        self.is_message = self.is_begun = self.has_recipient = False
        self.login = None
        self.step = self._command

    def connection_made(self, transport):
        self.transport = transport
        if self._acts("connect"):
            return
        self._say("220 sink ESMTP")

    def connection_lost(self, exc):
        self.session["lost"] = time.monotonic()

    def data_received(self, data):
        delay = self.behaviour.get("round_trip")
        if delay:
            asyncio.get_running_loop().call_later(delay, self._receive, data)
        else:
            self._receive(data)

    def _receive(self, data):
        now = time.monotonic()
        self.buffer += data
        while self.buffer and not self.transport.is_closing():
            if self.is_message:
                if not self._message():
                    return
                continue
            end = self.buffer.find(b"\r\n")
            if end < 0:
                return
            line = bytes(self.buffer[:end])
            del self.buffer[: end + 2]
            self.step(line, now)

    # Replies

    def _say(self, reply):
        self.transport.write(reply.encode() + b"\r\n")

    def _reset(self):
        """Reset rather than close: a link that broke says no goodbye."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _acts(self, phase):
        """Do what the behaviour wants at a phase; tell whether it did anything."""
        behaviour = self.behaviour
        if behaviour.get("silent") == phase:
            self.step = lambda line, now: None
            return True
        if behaviour.get("reset") == phase:
            self._reset()
            return True
        reply = (
            behaviour.get("script", {}).pop(phase, None)
            or behaviour.get("always", {}).get(phase)
            or self._is_worn_out(phase)
        )
        if reply:
            self._say(reply)
            if reply.startswith("421") or phase == "connect":
                self.transport.close()
        return bool(reply)

    def _is_worn_out(self, phase):
        """Return the reply of a connection that has had its emails, if it has."""
        count, at, reply = self.behaviour.get("after") or (0, None, None)
        return reply if at == phase and self.session["mails"] >= count else None

    # Commands

    def _command(self, line, now):
        verb = line[:4].upper().decode("latin-1")
        if verb == "EHLO" and not self._acts("ehlo"):
            self._say(
                "250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n"
                "250 AUTH PLAIN LOGIN"
            )
        elif verb == "AUTH":
            self._auth(line)
        elif verb == "MAIL":
            self._sender(_ADDRESS.search(line)[1].decode(), now)
        elif verb == "RCPT":
            self._recipient(_ADDRESS.search(line)[1].decode())
        elif verb == "DATA":
            self._data()
        elif verb == "QUIT":
            self._say("221 2.0.0 Bye")
            self.transport.close()
        elif verb in ("RSET", "NOOP"):
            self._say("250 2.0.0 Ok")

    def _auth(self, line):
        words = line.split()
        if words[1].upper() == b"PLAIN" and len(words) > 2:
            self._judge(base64.b64decode(words[2]).split(b"\0")[2])
        elif words[1].upper() == b"PLAIN":
            self.step = lambda line, now: self._judge(
                base64.b64decode(line).split(b"\0")[2]
            )
            self._say("334 ")
        elif len(words) > 2:
            self._ask_password()
        else:
            self.step = lambda line, now: self._ask_password()
            self._say("334 VXNlcm5hbWU6")

    def _ask_password(self):
        self.step = lambda line, now: self._judge(base64.b64decode(line))
        self._say("334 UGFzc3dvcmQ6")

    def _judge(self, password):
        self.step = self._command
        self.session["logins"] += 1
        if self._acts("auth"):
            return
        wanted = self.behaviour.get("password")
        if wanted is None or password.decode() == wanted:
            self._say("235 2.7.0 Welcome")
        else:
            self._say("535 5.7.8 Authentication credentials invalid")

    def _sender(self, address, now):
        self.mail = {
            "from": address,
            "to": [],
            "mail_at": now,
            "session": self.number,
            "port": self.port,
        }
        self.is_begun, self.has_recipient = not self._acts("mail"), False
        if self.is_begun:
            self._say("250 2.1.0 Ok")

    def _recipient(self, address):
        if not self.is_begun:
            self._say("503 5.5.1 MAIL first")
            return
        text, reply = self.behaviour.get("refuses") or (None, None)
        if text and text in address:
            self._say(reply)
            return
        self.mail["to"].append(address)
        if not self._cuts("rcpt") and not self._acts("rcpt"):
            self.has_recipient = True
            self._say("250 2.1.5 Ok")

    def _data(self):
        if not self.has_recipient:
            self._say("503 5.5.1 RCPT first")
        elif not self._cuts("data") and not self._acts("data"):
            self.is_message, self.size, self.head, self.end = True, 0, b"", b"\r\n"
            self._say("354 go ahead")

    def _cuts(self, *phases):
        """Cut the link if that is planned for this mail here; return the plan."""
        cuts = self.behaviour.get("cuts") or {}
        for address in self.mail["to"]:
            plan = cuts.get(address)
            if plan and plan[0] in phases:
                del cuts[address]
                if phases in (("rcpt",), ("data",)):
                    self._reset()
                return plan
        return None

    # The message

    def _message(self):
        """Swallow what has come in; return whether the message is over."""
        tail = self.end + self.buffer
        at = tail.find(b"\r\n.\r\n")
        if self.size == 0:
            self.body_cut = self._cuts("body")
        if len(self.head) < HEAD_BYTES:
            self.head += self.buffer[: HEAD_BYTES - len(self.head)]
        if at < 0:
            self.size += len(self.buffer)
            self.end = bytes(tail[-4:])
            self.buffer.clear()
            if self.body_cut and self.size >= self.body_cut[1]:
                self._reset()
            return False
        if self.body_cut:
            self._reset()
            return False
        rest = tail[at + 5 :]
        self.size += len(self.buffer) - len(rest)
        self.buffer[:] = rest
        self.is_message = False
        self._dot()
        return True

    def _dot(self):
        mail, self.mail = self.mail, None
        mail["dot_at"] = time.monotonic()
        mail["size"] = self.size
        found = _MESSAGE_ID.search(self.head)
        mail["id"] = found[1].decode() if found else ""
        mail["reply_at"] = None
        self.mail = mail
        plan = self._cuts("refuse", "dot", "reply")
        reply = "250 2.0.0 Ok: queued"
        if plan and plan[0] == "refuse":
            self._reset()
            return
        if self._refuses_dot() and self._acts("dot"):
            return
        self.session["mails"] += 1
        self.sink.records.append(mail)
        if plan and plan[0] == "dot":
            self._reset()
            return
        if self._acts("dot"):
            return
        if plan:
            self.transport.write(reply.encode()[: plan[1]])
            asyncio.get_running_loop().call_later(0.01, self._reset)
            return
        server_time = self.behaviour.get("server_time") or 0
        if server_time:
            loop = asyncio.get_running_loop()
            loop.call_later(server_time, self._reply, mail, reply)
        else:
            self._reply(mail, reply)

    def _refuses_dot(self):
        scripts = (self.behaviour.get("script", {}), self.behaviour.get("always", {}))
        return any("dot" in script for script in scripts) or self._is_worn_out("dot")

    def _reply(self, mail, reply):
        mail["reply_at"] = time.monotonic()
        if not self.transport.is_closing():
            self._say(reply)


async def main(path):
    sink = Sink()
    server = await asyncio.start_unix_server(sink.obey, path, limit=1 << 24)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
