"""A reader of headers that shares no code with Python: Perl's Encode and
Email::Address::XS, whose parser is Dovecot's."""

import contextlib
import json
import shutil
import subprocess

_SCRIPT = r"""
use strict;
use Encode;
use JSON::PP;
use Email::Address::XS qw(parse_email_addresses);
$| = 1;
my $json = JSON::PP->new->ascii;
while (my $line = <STDIN>) {
    my ($kind, $value) = @{decode_json($line)};
    my $answer = decode("MIME-Header", $value);
    if ($kind eq "addresses") {
        $answer = [map { [decode("MIME-Header", $_->phrase // ""), $_->address] }
                   parse_email_addresses($value)];
    }
    print $json->encode([$answer]), "\n";
}
"""


def missing():
    """Return why this reader cannot be asked here, empty if it can."""
    program = shutil.which("perl")
    if not program:
        return "perl is not installed"
    check = [program, "-MJSON::PP", "-MEmail::Address::XS", "-e1"]
    if subprocess.run(check, capture_output=True, check=False).returncode:
        return "libemail-address-xs-perl is not installed"
    return ""


class PerlReader:
    """One Perl that answers many questions; a context manager."""

    def __enter__(self):
        self._process = subprocess.Popen(
            ["perl", "-e", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_exc_info):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def _ask(self, kind, value):
        self._process.stdin.write(json.dumps([kind, value]) + "\n")
        self._process.stdin.flush()
        [answer] = json.loads(self._process.stdout.readline())
        return answer

    def text(self, value):
        """Decode an unfolded header."""
        return self._ask("text", value)

    def addresses(self, value):
        """Return (name, address) of each address in an unfolded header."""
        return [tuple(pair) for pair in self._ask("addresses", value)]
