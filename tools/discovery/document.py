"""The XML in which a domain describes its mail servers, from whoever answers for it.

https://benbucksch.github.io/autoconfig-spec/autoconfig-1.1.html. The parser is expat
without all that makes XML dangerous: a document type ends it, and so does every entity
but the five that XML itself has.
"""

from xml.parsers import expat

from .proposal import Mailbox, Proposal, Unusable, fill_in, imap_of, smtp_of

MAX_DEPTH = 10  # elements inside each other; the format has 4
MAX_SERVERS = 20  # that are looked at

# socketType -> whether TLS begins with the first byte; plain text is no choice
_IS_IMPLICIT = {"SSL": True, "STARTTLS": False}

# authentication with a password; the last two are of the format's early days
_PASSWORD = {"password-cleartext", "password-encrypted", "plain", "secure"}

# who was asked for in place of the user, see autoconfig.py
NEUTRAL_LOCAL = "postmaster"


def read_document(body: bytes, mailbox: Mailbox) -> Proposal:
    """Return the first servers of a document that take a password through TLS.

    :raises Unusable: there is none, or it is no such document
    """
    servers = _read_servers(body)
    smtp, smtp_user = _choose(servers["smtp"], smtp_of, mailbox)
    try:
        imap, imap_user = _choose(servers["imap"], imap_of, mailbox)
    except Unusable:
        imap, imap_user = None, ""
    return Proposal(
        "autoconfig",
        smtp=smtp,
        smtp_user=smtp_user,
        imap=imap,
        imap_user="" if imap_user == smtp_user else imap_user,
    )


def _choose(servers, make, mailbox):
    trouble = "no server"
    for server in servers:
        try:
            return _read_server(server, make, mailbox)
        except Unusable as error:
            trouble = str(error)
    raise Unusable(trouble)


def _read_server(server, make, mailbox):
    is_implicit = _IS_IMPLICIT.get(server.get("socketType", "").upper())
    if is_implicit is None:
        raise Unusable("no TLS")
    if not _PASSWORD.intersection(server.get("authentication", "").split()):
        raise Unusable("takes no password")
    host = server.get("hostname", "").replace("%EMAILDOMAIN%", mailbox.domain)
    found = make(host, server.get("port", ""), is_implicit)
    user = server.get("username", "")
    if user:
        fill_in(user, mailbox)  # what cannot be one makes the whole server doubtful
    return found, fill_in(_name_user(user), mailbox)


def _name_user(text):
    """The pattern of a user name; an answer that is made for whom it was asked for.

    A name without a placeholder is somebody's, and hardly this user's.
    """
    if text == NEUTRAL_LOCAL:
        return "%EMAILLOCALPART%"
    return text if "%" in text else "%EMAILADDRESS%"


def _read_servers(body):
    """Return the servers by their type, each as a dictionary of its values."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.add_text
    for handler in (
        "StartDoctypeDeclHandler",
        "EntityDeclHandler",
        "UnparsedEntityDeclHandler",
        "ExternalEntityRefHandler",
        "SkippedEntityHandler",
    ):
        setattr(parser, handler, _refuse)
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Unusable(f"no such document: {error}") from None
    return reader.servers


def _refuse(*_arguments):
    raise Unusable("a document type, or an entity")


class _Reader:
    """Collects the values of each server of an email provider, and nothing else."""

    _TYPES = {"outgoingServer": "smtp", "incomingServer": "imap"}

    def __init__(self):
        self.servers = {"smtp": [], "imap": []}
        self._path = []
        self._server = None
        self._text = ""

    def start(self, name, attributes):
        if len(self._path) >= MAX_DEPTH:
            raise Unusable("too deep")
        if not self._path and name != "clientConfig":
            raise Unusable("another document")
        self._path.append(name)
        self._text = ""
        if len(self._path) == 3 and self._path[1] == "emailProvider":
            kind = self._TYPES.get(name)
            if kind and attributes.get("type", "").strip().lower() == kind:
                self._server = {}
                if len(self.servers[kind]) < MAX_SERVERS:
                    self.servers[kind].append(self._server)

    def add_text(self, text):
        if self._server is not None:
            self._text += text

    def end(self, name):
        self._path.pop()
        if self._server is None:
            return
        if len(self._path) == 2:
            self._server = None
        elif len(self._path) == 3:
            known = self._server.get(name)
            value = self._text.strip()
            # several ways to log in are a choice; of everything else the first counts
            if name == "authentication" and known:
                self._server[name] = f"{known} {value}"
            elif known is None:
                self._server[name] = value
