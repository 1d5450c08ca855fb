import time

from odoo.tests import BaseCase, tagged

from ..tools import address

MEGABYTE = 1_000_000


def reason_of(parse, text):
    """Return the reason why a text is refused, None if it is not."""
    try:
        parse(text)
    except address.AddressError as error:
        return error.reason
    return None


@tagged("-at_install", "post_install")
class TestServer(BaseCase):
    def test_server_is_read_as_host_and_port(self):
        for text, expected in {
            "mail.myserver.com:465": "mail.myserver.com:465",
            "mail.myserver.com": "mail.myserver.com:587",
            "  Mail.MyServer.COM:25  ": "mail.myserver.com:25",
            "mail.myserver.com.": "mail.myserver.com:587",
            "mail.myserver.com.:2525": "mail.myserver.com:2525",
            "[::1]:2525": "[::1]:2525",
            "[2001:DB8:0::1]": "[2001:db8::1]:587",
            "127.0.0.1:65535": "127.0.0.1:65535",
            "localhost:1": "localhost:1",
            "mail_server:25": "mail_server:25",
            "Bücher.example:465": "xn--bcher-kva.example:465",
            "straße.example": "xn--strae-oqa.example:587",
            "почта.рф:465": "xn--80a1acny.xn--p1ai:465",
            "メール。例え.テスト": "xn--4dkua4c.xn--r8jz45g.xn--zckzah:587",
            "ｍａｉｌ．example．com": "mail.example.com:587",
            "نامه\u200cای.example": "xn--mgba3gch31f060k.example:587",
            "xn--bcher-kva.example": "xn--bcher-kva.example:587",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(str(address.parse_server(text)), expected)

    def test_what_is_copied_along_with_a_server_is_put_right(self):
        for text, expected in {
            "localhost : 10587": "localhost:10587",
            "mail.example.com :25": "mail.example.com:25",
            "mail.example.com\u00a0:\u200925": "mail.example.com:25",
            "[::1] : 25": "[::1]:25",
            "http://mail.example.com": "mail.example.com",
            "https://mail.example.com/": "mail.example.com",
            " smtp://mail.example.com:25// ": "mail.example.com:25",
            "SMTP+tls://mail.example.com : 25": "mail.example.com:25",
            "smtps://mail.example.com": "mail.example.com:465",
            "smtps://mail.example.com:2525": "mail.example.com:2525",
            "smtps://[::1]": "[::1]:465",
            "imaps://mail.example.com/": "mail.example.com:993",
            "mail.example.com": "mail.example.com",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(address.tidy_server(text), expected)
                self.assertIsNone(reason_of(address.parse_server, text))

    def test_default_port_is_the_callers(self):
        self.assertEqual(address.parse_server("a.example", 993).port, 993)

    def test_only_465_begins_with_tls(self):
        for port in (25, 465, 587, 2525):
            with self.subTest(port=port):
                server = address.ServerAddress("a.example", port)
                self.assertEqual(server.is_implicit_tls(), port == 465)
        self.assertTrue(
            address.ServerAddress("a.example", 993).is_implicit_tls({993, 465})
        )

    def test_bad_server_is_refused_with_its_reason(self):
        for text, reason in {
            "": "server_empty",
            None: "server_empty",
            "   ": "server_empty",
            ":25": "server_empty",
            ".": "server_empty",
            ".:25": "server_empty",
            "mail server.example": "server_space",
            "mail.example : 25 26": "server_space",
            "mail.example\n:25": "server_control",
            "mail.example\n": "server_control",
            "mail.exa\tmple": "server_control",
            "mail.exa\u2028mple": "server_control",
            "mail.exa\x00mple": "server_control",
            "mail.exa\u200bmple": "server_control",
            "mail.exa\u202emple": "server_control",
            "mail.exa\ud800mple": "server_control",
            "smtp://": "server_empty",
            "http://smtp://mail.example": "server_scheme",
            "https://mail.example/inbox": "server_path",
            "https://ada@mail.example/": "server_user",
            "smtps://mail.example:70000": "server_port",
            "mail.example/inbox": "server_path",
            "mail.example\\inbox": "server_path",
            "mail.example?x=1": "server_path",
            "mail.example#x": "server_path",
            "user@mail.example": "server_user",
            "user:secret@mail.example:25": "server_user",
            "mail.example:": "server_port",
            "mail.example:0": "server_port",
            "mail.example:00": "server_port",
            "mail.example:65536": "server_port",
            "mail.example:70000": "server_port",
            "mail.example:123456": "server_port",
            "mail.example:-1": "server_port",
            "mail.example:25x": "server_port",
            "mail.example:٢٥": "server_port",
            "mail.example:²": "server_port",
            "::1": "server_brackets",
            "::1:2525": "server_brackets",
            "mail.example:25:26": "server_brackets",
            "[::1": "server_brackets",
            "[::1]2525": "server_brackets",
            "[]": "server_host",
            "[127.0.0.1]": "server_host",
            "[::1::]": "server_host",
            "[fe80::1%eth0]:25": "server_host",
            "127.1": "server_host",
            "2130706433": "server_host",
            "0x7f000001": "server_host",
            "0x7f.0.0.1": "server_host",
            "017700000001": "server_host",
            "0177.0.0.1": "server_host",
            "127.0.0.1.": None,
            "256.0.0.1": "server_host",
            "１２７.1": "server_host",
            "mail..example": "server_host",
            ".mail.example": "server_host",
            "-mail.example": "server_host",
            "mail-.example": "server_host",
            "ma*l.example": "server_host",
            "a,b.example": "server_host",
            "ma\u2044il.example": "server_host",
            "℀.example": "server_host",
            "☃.example": "server_host",
            "xn--a.example": "server_host",
            "xn--\xfc.example": "server_host",
            "xn--bcher-kvaa999.example": "server_host",
            "a" * 64 + ".example": "server_host",
            "ü" * 60 + ".example": "server_host",
            ".".join(["a" * 62] * 4) + ".example": "server_host",
            "a" * 301: "server_length",
            "a" * MEGABYTE: "server_length",
        }.items():
            with self.subTest(text=str(text)[:40]):
                self.assertEqual(reason_of(address.parse_server, text), reason)

    def test_longest_labels_and_names_are_taken(self):
        name = ".".join(["a" * 63] * 3 + ["a" * 61])
        self.assertEqual(address.parse_server(name).host, name)
        self.assertEqual(
            reason_of(address.parse_server, "a" + name), "server_host", "254 characters"
        )


@tagged("-at_install", "post_install")
class TestMailbox(BaseCase):
    def test_one_plain_address_is_taken(self):
        for text, expected in {
            "ada@example.com": "ada@example.com",
            "  ada@example.com ": "ada@example.com",
            "Ada.Lovelace+odoo@Example.COM": "Ada.Lovelace+odoo@example.com",
            "o'neil/x=y?z@a.example": "o'neil/x=y?z@a.example",
            "ada@bücher.example": "ada@bücher.example",
            "ada@BÜCHER.example": "ada@bücher.example",
            "ada@xn--bcher-kva.example": "ada@xn--bcher-kva.example",
            "чебурашка@ящик.рф": "чебурашка@ящик.рф",
            "用户@例子.中国": "用户@例子.中国",
            "u\u0308@example.com": "ü@example.com",
            "ada@example.com.": "ada@example.com",
            "a" * 64 + "@example.com": "a" * 64 + "@example.com",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(address.parse_mailbox(text), expected)

    def test_what_is_copied_along_with_an_address_is_put_right(self):
        for text in (
            "ada@example.com",
            " <ada@example.com>",
            "Ada Lovelace <ada@example.com>",
            '"Lovelace, Ada" <ada@example.com>;',
            "Lovelace, Ada\u00a0<ada@example.com>, ",
            '"ada@example.com" < ada@example.com >',
            "mailto:ada@example.com",
            "Mailto:ada@example.com?subject=Hello&body=a%20word",
            "Ada <mailto:ada@example.com>\r\n",
        ):
            with self.subTest(text=text):
                self.assertEqual(address.tidy_mailbox(text), "ada@example.com")

    def test_several_copied_addresses_are_still_several(self):
        for text in (
            "Ada <a@b.example>, Bob <c@d.example>",
            "a@b.example, Bob <c@d.example>",
            "a@b.example; <c@d.example>",
            "mailto:a@b.example,c@d.example",
            "<a@b.example",
            "Ada <<a@b.example>>",
            "<a@b.example>" * MEGABYTE,
        ):
            with self.subTest(text=text[:80]):
                tidied = address.tidy_mailbox(text)
                self.assertTrue(reason_of(address.parse_mailbox, tidied))

    def test_anything_else_is_refused_with_its_reason(self):
        for text, reason in {
            "": "mailbox_empty",
            None: "mailbox_empty",
            "a@b.example, c@d.example": "mailbox_several",
            "a@b.example;c@d.example": "mailbox_several",
            "a@b.example c@d.example": "mailbox_several",
            "a@b@c.example": "mailbox_several",
            "a,b@c.example": "mailbox_several",
            "a@b.example\n": "mailbox_control",
            "a@b.example\r\nBcc: x@y.example": "mailbox_control",
            "a@b.example\x00": "mailbox_control",
            "a\x7f@b.example": "mailbox_control",
            "a@b.exa\u2028mple": "mailbox_control",
            "a\u2029@b.example": "mailbox_control",
            "a\u0085@b.example": "mailbox_control",
            "a\u200b@b.example": "mailbox_control",
            "a\u200d@b.example": "mailbox_control",
            "a\u202eb@c.example": "mailbox_control",
            "\ufeffa@b.example": "mailbox_control",
            "a\ud800@b.example": "mailbox_control",
            "Ada <a@b.example>": "mailbox_syntax",
            "<a@b.example>": "mailbox_syntax",
            '"a b"@c.example': "mailbox_syntax",
            '"a@b.example"@c.example': "mailbox_syntax",
            'a"b@c.example': "mailbox_syntax",
            "a\\b@c.example": "mailbox_syntax",
            "a(comment)@b.example": "mailbox_syntax",
            "a@b.example (comment)": "mailbox_syntax",
            "a@[127.0.0.1]": "mailbox_syntax",
            "mailto:a@b.example": "mailbox_syntax",
            "group:a@b.example;": "mailbox_syntax",
            "a b@c.example": "mailbox_syntax",
            "a@b .example": "mailbox_syntax",
            "a\u00a0b@c.example": "mailbox_control",
            "a\u00a0@c.example": "mailbox_control",
            "a@\u00a0c.example": "mailbox_control",
            "a\u202f@c.example": "mailbox_control",
            "a\u3000@c.example": "mailbox_control",
            "a\u3164@c.example": "mailbox_control",
            "a\u2800@c.example": "mailbox_control",
            "a\u001f@c.example": "mailbox_control",
            "a\u0007@c.example": "mailbox_control",
            "a\u00ad@c.example": "mailbox_control",
            "ada": "mailbox_at",
            "ann.gmx.de": "mailbox_at",
            "@example.com": "mailbox_syntax",
            ".a@example.com": "mailbox_syntax",
            "a.@example.com": "mailbox_syntax",
            "a..b@example.com": "mailbox_syntax",
            "a@": "mailbox_domain",
            "a@example": "mailbox_domain",
            "a@localhost": "mailbox_domain",
            "a@example..com": "mailbox_domain",
            "a@-example.com": "mailbox_domain",
            "a@exam_ple.com": "mailbox_domain",
            "a@127.0.0.1": "mailbox_domain",
            "a@1.2": "mailbox_domain",
            "a@☃.example": "mailbox_domain",
            "a@xn--a.example": "mailbox_domain",
            "a@" + "b" * 64 + ".example": "mailbox_domain",
            "a" * 65 + "@example.com": "mailbox_length",
            "ü" * 33 + "@example.com": "mailbox_length",
            "a" * 400 + "@example.com": "mailbox_length",
            "a" * MEGABYTE: "mailbox_length",
        }.items():
            with self.subTest(text=str(text)[:40]):
                self.assertEqual(reason_of(address.parse_mailbox, text), reason)

    def test_spaces_around_a_pasted_address_do_not_count(self):
        for space in " \u00a0\u202f\u3000\u2003":
            with self.subTest(space=ascii(space)):
                text = f"{space}ada@example.com{space}"
                self.assertEqual(address.parse_mailbox(text), "ada@example.com")
                server = address.parse_server(f"{space}mail.example.com:25{space}")
                self.assertEqual(str(server), "mail.example.com:25")

    def test_what_nobody_sees_before_the_at_sign_is_named_as_that(self):
        for char in "\u00a0\u2007\u202f\u3000\u200b\u00ad\u3164\ufeff\x1f\x07\n":
            with self.subTest(char=ascii(char)):
                for parse in (address.parse_mailbox, address.mailbox_to_ascii):
                    text = f"ada{char}@example.com"
                    self.assertEqual(reason_of(parse, text), "mailbox_control")
        self.assertIn("invisible", address.REASONS["mailbox_control"])

    def test_domain_becomes_ascii_for_the_wire(self):
        for text, expected in {
            "ada@bücher.example": "ada@xn--bcher-kva.example",
            "чебурашка@ящик.рф": "чебурашка@xn--h1ae7bxa.xn--p1ai",
            "Ada@Example.COM": "Ada@example.com",
            '"a@b"@c.example': '"a@b"@c.example',
        }.items():
            with self.subTest(text=text):
                self.assertEqual(address.mailbox_to_ascii(text), expected)
        for text in ("ada", "ada@", "ada@a b", "x" * MEGABYTE):
            with self.subTest(text=text[:40]), self.assertRaises(address.AddressError):
                address.mailbox_to_ascii(text)


@tagged("-at_install", "post_install")
class TestDisplayName(BaseCase):
    def test_names_of_people_are_taken(self):
        for name in (
            "",
            "Ada Lovelace",
            'Ada "Countess" Lovelace, née Byron (x)',
            "Jürgen Müßig",
            "مریم\u200cسادات",
            "👩\u200d💻 Ada",
            "x" * 200,
        ):
            with self.subTest(name=name):
                self.assertEqual(address.check_display_name(f" {name} "), name)
        self.assertEqual(address.check_display_name(None), "")

    def test_names_that_could_add_a_header_are_refused(self):
        for name, reason in {
            "Ada\r\nBcc: x@y.example": "text_control",
            "Ada\n": "text_control",
            "Ada\u2028Lovelace": "text_control",
            "Ada\x0bLovelace": "text_control",
            "Ada\x00": "text_control",
            "Ada\u202egnp.exe": "text_control",
            "Ada\ud800": "text_control",
            "=?utf-8?q?hi=0D=0ABcc:_x?=": "text_encoded",
            "=?utf-8?b?SGkNCkJjYzogeA==?=": "text_encoded",
            "Ada =?utf-8?q?hi=0D=0ABcc:_x": "text_encoded",
            "x" * 201: "text_length",
            "x" * MEGABYTE: "text_length",
        }.items():
            with self.subTest(name=name[:40]):
                self.assertEqual(reason_of(address.check_display_name, name), reason)


@tagged("-at_install", "post_install")
class TestHostileText(BaseCase):
    def test_a_megabyte_is_refused_at_once(self):
        for char in ("a", "@", ".", "(", '"', " ", "[", ":", "ü", "\n", "=?", "-"):
            text = char * MEGABYTE
            started = time.process_time()
            for parse in (
                address.parse_server,
                address.parse_mailbox,
                address.mailbox_to_ascii,
                address.check_display_name,
            ):
                with self.subTest(char=char, parse=parse.__name__):
                    self.assertIn("length", reason_of(parse, text))
            self.assertLess(time.process_time() - started, 0.1, char)

    def test_the_longest_text_that_is_parsed_costs_little(self):
        for char in ("a", "@", ".", "a.", "ü", "ü.", "xn--a.", "\u0627", "1.", "0x."):
            text = (char * 300)[:300]
            started = time.process_time()
            for parse in (address.parse_server, address.parse_mailbox):
                with self.subTest(char=char, parse=parse.__name__):
                    self.assertTrue(reason_of(parse, text))
            self.assertLess(time.process_time() - started, 0.1, char)

    def test_every_reason_is_a_sentence(self):
        for reason, sentence in address.REASONS.items():
            with self.subTest(reason=reason):
                self.assertRegex(sentence, r"^[A-Z].*\.$")
                self.assertEqual(str(address.AddressError(reason)), sentence)
