"""A DNS server on loopback that answers what a test says."""

import contextlib
import socket
import threading
import time

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class FakeDnsServer:
    """Serve records over UDP on a free port; a context manager.

    >>> server.set("example.com", "MX", "10 mx.example.com.")
    >>> server.set("a.example.com", "A", ["192.0.2.1"], ["127.0.0.2"])  # one a question
    """

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.nameserver = f"127.0.0.1:{self.port}"
        self._records = {}
        # (name, type) of all questions, in the order of their arrival
        self.questions = []
        # types that get no answer at all, or one after so many seconds
        self.silent = set()
        self.delays = {}
        # is called with each question, before its answer
        self.watch = lambda name, kind: None

    def set(self, name, kind, *answers):
        """Answer with these records; lists are the answers to one question each."""
        if not any(isinstance(answer, list) for answer in answers):
            answers = (list(answers),)
        self._records[name, kind] = list(answers)

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_exc_info):
        self._socket.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                data, client = self._socket.recvfrom(4096)
                threading.Thread(
                    target=self._answer, args=(data, client), daemon=True
                ).start()

    def _answer(self, data, client):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        self.watch(name, kind)
        if kind in self.silent:
            return
        time.sleep(self.delays.get(kind, 0))
        response = dns.message.make_response(query)
        answers = self._records.get((name, kind))
        if answers:
            texts = answers.pop(0) if len(answers) > 1 else answers[0]
            response.answer.append(
                dns.rrset.from_text(question.name, 60, "IN", kind, *texts)
            )
        elif not any(
            f".{known}".endswith(f".{name}") for known, _kind in self._records
        ):
            # a name below which there is another one does exist (RFC 8020 2)
            response.set_rcode(dns.rcode.NXDOMAIN)
        with contextlib.suppress(OSError):
            self._socket.sendto(response.to_wire(), client)
