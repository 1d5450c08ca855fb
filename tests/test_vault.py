import base64
import itertools
import os
import stat
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..tools import keys, vault
from ..tools.vault import Binding, KeyMissing, Vault, WrongKey, WrongRow

HERE = Binding("db-uuid", "user.email.alias", 7, "smtp_password")
ELSEWHERE = (
    HERE._replace(database="other-uuid"),
    HERE._replace(model="fetchmail.server"),
    HERE._replace(record_id=8),
    HERE._replace(field="refresh_token"),
    # The same characters, cut in other places.
    Binding("db-uuid", "user.email.alias7", 7, "smtp_password"),
    Binding("db-uuiduser", ".email.alias", 7, "smtp_password"),
)
KEYS = tuple(vault.generate_key() for _ in range(3))

LOADER = """
import sys, types
package = sys.modules["tools"] = types.ModuleType("tools")
package.__path__ = [sys.argv[1]]
from tools import keys
print("ready", flush=True)
sys.stdin.readline()
print(*keys.load_keys(None, {}, sys.argv[2]))
"""


@tagged("-at_install", "post_install")
class TestVault(BaseCase):
    def test_secrets_come_back_as_they_were(self):
        box = Vault(KEYS[:1])
        for secret in ("", "secret", " pass wörd\n\x00", "😀" * 3000, "\ud800"):
            with self.subTest(secret=secret[:10]):
                token = box.encrypt(secret, HERE)
                self.assertEqual(box.decrypt(token, HERE), secret)
                self.assertRegex(token, r"^v1:[0-9a-f]{12}:[A-Za-z0-9_=-]+$")

    def test_the_same_secret_never_looks_the_same(self):
        box = Vault(KEYS[:1])
        tokens = {box.encrypt("secret", HERE) for _ in range(20)}
        self.assertEqual(len(tokens), 20)

    def test_a_token_is_valid_in_its_own_row_only(self):
        box = Vault(KEYS[:1])
        tokens = {row: box.encrypt(f"of {row}", row) for row in (HERE, *ELSEWHERE)}
        for source, target in itertools.product(tokens, tokens):
            with self.subTest(source=source, target=target):
                if source == target:
                    self.assertEqual(
                        box.decrypt(tokens[source], target), f"of {target}"
                    )
                else:
                    self.assertRaises(WrongRow, box.decrypt, tokens[source], target)
                    self.assertRaises(WrongRow, box.rotate, tokens[source], target)

    def test_no_changed_character_is_accepted(self):
        box = Vault(KEYS[:2])
        for secret in ("", "s" * 16, "s" * 32, "s" * 40):
            token = box.encrypt(secret, HERE)
            for place, bit in itertools.product(range(len(token)), range(7)):
                changed = chr(ord(token[place]) ^ (1 << bit))
                forged = token[:place] + changed + token[place + 1 :]
                with self.assertRaises((WrongRow, WrongKey), msg=forged):
                    box.decrypt(forged, HERE)

    def test_no_other_spelling_is_accepted(self):
        box = Vault(KEYS[:1])
        token = box.encrypt("secret", HERE)
        version, key_id, fernet = token.split(":")
        for forged in (
            "",
            None,
            False,
            12,
            token.encode(),
            token + "\n",
            token + "=",
            token[:-1],
            token[:-4],
            f" {token}",
            token.upper(),
            fernet,
            f"v2:{key_id}:{fernet}",
            f"{version}:{key_id}:{fernet[:20]} {fernet[20:]}",
            f"{version}:{key_id}:",
            f"{version}:{key_id}:é{fernet[1:]}",
            "v1:" * 300_000,
        ):
            with self.subTest(forged=str(forged)[:60]):
                self.assertRaises(WrongRow, box.decrypt, forged, HERE)
        for nothing in ("", None, False, fernet, f"v1:{'0' * 12}:{fernet}"):
            with self.subTest(nothing=nothing):
                self.assertFalse(box.is_current(nothing))

    def test_a_token_of_another_key_under_our_key_id_is_refused(self):
        ours, foreign = Vault(KEYS[:1]), Vault(KEYS[1:2])
        key_id = ours.encrypt("x", HERE).split(":")[1]
        fernet = foreign.encrypt("secret", HERE).split(":")[2]
        self.assertRaises(WrongRow, ours.decrypt, f"v1:{key_id}:{fernet}", HERE)

    def test_rotation_keeps_old_secrets_readable(self):
        old, both, new = Vault(KEYS[:1]), Vault(KEYS[1::-1]), Vault(KEYS[1:2])
        token = old.encrypt("secret", HERE)
        self.assertTrue(old.is_current(token))
        self.assertEqual(both.decrypt(token, HERE), "secret")
        self.assertFalse(both.is_current(token))
        rotated = both.rotate(token, HERE)
        self.assertTrue(both.is_current(rotated))
        self.assertEqual(new.decrypt(rotated, HERE), "secret")
        with self.assertRaisesRegex(WrongKey, token.split(":")[1]):
            new.decrypt(token, HERE)

    def test_no_key_and_no_valid_key_are_told_apart_from_the_wrong_key(self):
        for wrong in (
            [],
            [""],
            ["short"],
            [KEYS[0][:-1]],
            [KEYS[0] + "AAAA"],
            [KEYS[0], "password"],
            ["ü" * 44],
            [None],
            [base64.urlsafe_b64encode(b"x" * 16).decode()],
        ):
            with self.subTest(keys=wrong):
                self.assertRaises(KeyMissing, Vault, wrong)
        self.assertTrue(Vault([KEYS[0].encode(), f" {KEYS[0]}\n"]))

    def test_no_key_and_no_secret_shows(self):
        box = Vault(KEYS)
        token = box.encrypt("canary-secret", HERE)
        shown = [repr(box), str(box), token]
        for call in (
            lambda: Vault([KEYS[0], KEYS[1] + "x"]),
            lambda: box.decrypt(token, ELSEWHERE[0]),
            lambda: box.decrypt(token[:-4], HERE),
            lambda: Vault([vault.generate_key()]).decrypt(token, HERE),
        ):
            with self.assertRaises(vault.VaultError) as caught:
                call()
            error = caught.exception
            shown += [str(error), repr(error.args), repr(error.__context__)]
            shown.append("".join(traceback.format_exception(error)))
            self.assertEqual(error.hold, "vault")
        for text, canary in itertools.product(shown, (*KEYS, "canary-secret")):
            self.assertNotIn(canary, text)


@tagged("-at_install", "post_install")
class TestKeys(BaseCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.path = Path(self.directory, keys.KEY_FILE)

    def load(self, option=None, **environ):
        return keys.load_keys(option, environ, self.directory)

    def write(self, content, mode=0o600):
        self.path.write_bytes(content)
        self.path.chmod(mode)

    def test_environment_wins_over_configuration_over_file(self):
        one, two, three = KEYS
        self.write(three.encode())
        environ = {keys.ENVIRONMENT_KEYS: one}
        self.assertEqual(self.load(two, **environ), [one])
        self.assertEqual(self.load(two), [two])
        self.assertEqual(self.load(), [three])
        for empty in ("", " ", ",", None, False):
            with self.subTest(option=empty):
                self.assertEqual(self.load(empty), [three])

    def test_several_keys_keep_their_order(self):
        for text in (f"{KEYS[0]},{KEYS[1]}", f" {KEYS[0]} , {KEYS[1]},\n"):
            with self.subTest(text=text):
                self.assertEqual(self.load(text), list(KEYS[:2]))
        self.write(f"{KEYS[1]}\n{KEYS[0]}\n".encode())
        self.assertEqual(self.load(), [KEYS[1], KEYS[0]])

    def test_the_file_is_made_once_and_private(self):
        umask = os.umask(0)
        try:
            made = self.load()
        finally:
            os.umask(umask)
        self.assertEqual(len(made), 1)
        self.assertEqual(self.load(), made)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.directory), [keys.KEY_FILE])
        self.assertTrue(Vault(made))

    def test_a_missing_directory_is_made(self):
        directory = Path(self.directory, "a", "b")
        made = keys.load_keys(None, {}, directory)
        self.assertEqual(keys.load_keys(None, {}, directory), made)

    def test_processes_that_start_together_get_one_key(self):
        tools = Path(vault.__file__).parent
        command = [sys.executable, "-c", LOADER, tools, self.directory]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(8)]
        try:
            for process in processes:
                self.assertEqual(process.stdout.readline(), "ready\n")
            for process in processes:
                process.stdin.write("\n")
                process.stdin.flush()
            answers = {process.communicate(timeout=30)[0] for process in processes}
        finally:
            for process in processes:
                process.kill()
                process.wait()
        self.assertEqual(answers, {f"{self.load()[0]}\n"})
        self.assertEqual(os.listdir(self.directory), [keys.KEY_FILE])

    def test_an_unusable_file_is_left_alone_and_named(self):
        for content, mode, words in (
            (KEYS[0].encode(), 0o644, "permissions are 0644"),
            (KEYS[0].encode(), 0o660, "permissions are 0660"),
            (KEYS[0].encode(), 0o700, "permissions are 0700"),
            (KEYS[0].encode(), 0o4600, "permissions are 4600"),
            (b"", 0o600, "no valid key"),
            (b"password\n", 0o600, "no valid key"),
            (KEYS[0][:-2].encode(), 0o600, "no valid key"),
            (b"\xff\xfe\x00", 0o600, "no valid key"),
            (f"{KEYS[0]}\npassword".encode(), 0o600, "no valid key"),
            (b"A" * 1_000_000, 0o600, "no valid key"),
        ):
            with self.subTest(words=words, content=content[:20]):
                self.write(content, mode)
                with self.assertRaisesRegex(KeyMissing, words) as caught:
                    self.load()
                self.assertIn(vault.OPTION_KEYS, str(caught.exception))
                self.assertNotIn(KEYS[0][:20], str(caught.exception))
                self.assertEqual(self.path.read_bytes(), content)
                self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), mode)

    def test_a_read_only_secret_is_good_enough(self):
        self.write(KEYS[0].encode(), 0o400)
        self.assertEqual(self.load(), [KEYS[0]])

    def test_what_is_no_file_is_refused_without_waiting(self):
        os.mkfifo(self.path, 0o600)
        with self.assertRaisesRegex(KeyMissing, "not a plain file"):
            self.load()
        self.path.unlink()
        self.path.mkdir(0o600)
        self.assertRaises(KeyMissing, self.load)
        self.path.rmdir()
        self.path.symlink_to(Path(self.directory, "nowhere"))
        self.assertRaises(KeyMissing, self.load)

    def test_a_directory_that_cannot_be_written_is_named(self):
        blocked = Path(self.directory, "file")
        blocked.write_text("")
        with self.assertRaisesRegex(KeyMissing, vault.OPTION_KEYS):
            keys.load_keys(None, {}, blocked)
