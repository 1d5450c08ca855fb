"""A new alias from an address alone: which step follows, and what is filled in."""

from unittest.mock import patch

from odoo import modules
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..exceptions import NoSuchDomain
from .common_discovery import AUTOCONFIG, DOMAIN, PATH
from .common_oauth_flow import OAuthFlowCase
from .common_queue import QueueCase
from .common_setup import LOCAL, NOTHING, PASSWORD, SRV, TABLE, TYPO, SetupServers
from .fake_dns import FakeDnsServer
from .fake_web import answer


@tagged("post_install", "-at_install", "user_email_alias")
class TestSetup(SetupServers, TransactionCase):
    def setUp(self):
        super().setUp()
        params = self.env["ir.config_parameter"]
        params.set_param("user_email_alias.attempts_per_minute", "0")
        self.start_servers()
        self.user = new_test_user(self.env, "setup_alice", name="Alice Adams")
        self.other = new_test_user(self.env, "setup_bob", name="Bob Brown")

    def begin(self, email):
        setup = self.env["user.email.alias.setup"].with_user(self.user).create({})
        setup.email = email
        return setup, setup.action_continue()

    def prove(self, setup, password=PASSWORD):
        setup.write({"smtp_password": password})
        self.env.flush_all()
        return setup.action_test_connection()

    def assertMessage(self, action, words):
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn(words, action["params"]["message"])

    def test_each_source_ends_in_a_proved_alias(self):
        for domain, words in (
            (TABLE, "list of providers: Our hoster"),
            (SRV, "names its mail servers in the DNS"),
            (DOMAIN, "publishes its mail servers at https://autoconfig.corp.example"),
        ):
            with self.subTest(domain=domain):
                email = f"{LOCAL}@{domain}"
                setup, _action = self.begin(email)
                self.assertEqual(setup.step, "password")
                self.assertIn(words, setup.found)
                action = self.prove(setup)
                self.assertMessage(action, "Status: OK")
                alias = setup.alias_id
                self.assertEqual(action["params"]["next"]["res_id"], alias.id)
                self.assertEqual(alias.user_id, self.user)
                self.assertEqual(alias.state, "ok")
                self.assertEqual(alias.name, email)
                self.assertEqual(alias.email_from, email)
                self.assertEqual(alias.alias_name, "Alice Adams")
                self.assertEqual(alias.smtp_user, email)

    def test_pause_and_limit_of_the_provider_are_filled_in(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        self.assertFalse(self.dns.questions, "the domain tells")
        self.prove(setup)
        self.assertEqual(setup.alias_id.delay_ms, 1500)
        self.assertEqual(setup.alias_id.daily_limit, 300)

    def test_mailbox_for_copies_is_filled_in_with_its_own_login(self):
        self.provider.write(
            {
                "imap_server": "imap.table.example",
                "imap_user_pattern": "%EMAILLOCALPART%",
            }
        )
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        setup.write({"smtp_password": PASSWORD})
        alias = setup.alias_id
        self.assertEqual(alias.imap_server, "imap.table.example:993")
        self.assertEqual(alias.imap_user, LOCAL)
        self.assertTrue(alias.has_imap_password)

    def test_administrator_says_whom_to_ask(self):
        Alias, params = self.env["user.email.alias"], self.env["ir.config_parameter"]
        self.assertFalse(Alias._get_sources().has_central)
        params.set_param("user_email_alias.central_database", "True")
        self.assertTrue(Alias._get_sources().has_central)
        params.set_param("user_email_alias.nameserver", "dns.example")
        with self.assertLogs("odoo.addons.user_email_alias", "ERROR"):
            Alias._get_sources()

    def test_refused_password_stays_in_the_dialogue_with_the_hint(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        action = self.prove(setup, "wrong")
        self.assertEqual(action["res_id"], setup.id)
        self.assertIn("535 5.7.8", setup.message)
        self.assertIn("Switch on SMTP first.", setup.message)
        self.assertMessage(self.prove(setup), "Status: OK")
        aliases = self.env["user.email.alias"].search([("user_id", "=", self.user.id)])
        self.assertEqual(aliases, setup.alias_id, "it is one and the same alias")

    def test_password_is_nowhere_but_in_the_vault(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        setup.write({"smtp_password": "canary in a coal mine"})
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT s::text || a::text FROM user_email_alias_setup s, "
            "user_email_alias a WHERE a.id = s.alias_id AND s.id = %s",
            [setup.id],
        )
        self.assertNotIn("canary", self.env.cr.fetchone()[0])
        self.assertFalse(setup.read(["smtp_password"])[0]["smtp_password"])

    def test_nothing_is_made_before_a_password_is_given(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        setup.action_test_connection()
        self.assertIn("password", setup.message)
        self.assertFalse(
            self.env["user.email.alias"].search([("user_id", "=", self.user.id)])
        )
        self.assertFalse(self.smtp.sessions)

    def test_nothing_found_leads_to_the_full_form(self):
        _setup, action = self.begin(f"{LOCAL}@{NOTHING}")
        self.assertMessage(action, f"Nothing is known of the mail server of {NOTHING}")
        form = action["params"]["next"]
        self.assertEqual(form["res_model"], "user.email.alias")
        self.assertEqual(form["context"]["default_email_from"], f"{LOCAL}@{NOTHING}")

    def test_typing_error_stays_in_the_dialogue(self):
        setup, action = self.begin(f"{LOCAL}@{TYPO}")
        self.assertEqual((action["res_id"], setup.step), (setup.id, "address"))
        self.assertIn(f"There is no domain {TYPO}", setup.message)
        self.assertIn(f"Did you mean {TABLE}?", setup.message)
        setup.email = f"{LOCAL}@{TABLE}"
        setup.action_continue()
        self.assertEqual((setup.step, setup.message), ("password", False))

    def test_neighbour_of_a_provider_is_asked_about_before_the_password(self):
        self.dns.set(TYPO, "TXT", '"nothing about mail"')
        setup, action = self.begin(f"{LOCAL}@{TYPO}")
        self.assertEqual((action["res_id"], setup.step), (setup.id, "address"))
        self.assertIn(f"Did you mean {TABLE}? Nothing is known", setup.message)
        form = setup.action_by_hand()
        self.assertEqual(form["context"]["default_email_from"], f"{LOCAL}@{TYPO}")
        port = self.smtp.starttls_port
        self.dns.set(f"_submission._tcp.{TYPO}", "SRV", f"0 1 {port} localhost.")
        setup.action_continue()
        self.assertEqual(setup.step, "password")
        self.assertIn(f"Else whoever runs {TYPO} gets your password", setup.message)

    def test_address_is_taken_as_it_was_copied(self):
        for email in (
            f"Alice Adams <{LOCAL}@{TABLE}>",
            f"mailto:{LOCAL}@{TABLE}",
        ):
            with self.subTest(email=email):
                setup, _action = self.begin(email)
                self.assertEqual(setup.email, f"{LOCAL}@{TABLE}")
                self.assertEqual(setup.step, "password")

    def test_another_address_gets_an_alias_of_its_own(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        self.prove(setup, "wrong")
        first = setup.alias_id
        setup.action_back()
        setup.email = f"{LOCAL}@{SRV}"
        setup.action_continue()
        self.assertFalse(first.exists(), "it was begun with the other address")
        self.assertMessage(self.prove(setup), "Status: OK")
        self.assertEqual(setup.alias_id.email_from, f"{LOCAL}@{SRV}")
        self.assertEqual(self.smtp.sessions[-1].login, f"{LOCAL}@{SRV}")

    def test_another_address_leaves_alone_what_works(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        self.prove(setup)
        first = setup.alias_id
        setup.action_back()
        setup.email = f"{LOCAL}@{NOTHING}"
        form = setup.action_continue()["params"]["next"]
        self.assertEqual(first.exists().state, "ok")
        self.assertFalse(form["res_id"])
        self.assertEqual(form["context"]["default_email_from"], f"{LOCAL}@{NOTHING}")

    def test_cancelled_leaves_nothing_that_does_not_work(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        self.prove(setup, "wrong")
        refused = setup.alias_id
        setup.action_cancel()
        self.assertFalse(refused.exists())
        setup.action_continue()
        self.prove(setup)
        setup.action_cancel()
        aliases = self.env["user.email.alias"].search([("user_id", "=", self.user.id)])
        self.assertEqual(aliases.state, "ok")

    def test_hostile_answer_ends_in_the_same_sentence(self):
        bomb = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><x>&x;</x>'
        self.web.pages[AUTOCONFIG, PATH] = answer(bomb)
        _setup, action = self.begin(f"{LOCAL}@{DOMAIN}")
        self.assertMessage(action, f"Nothing is known of the mail server of {DOMAIN}")
        self.assertTrue(self.web.requests)

    def test_server_allowed_for_mail_is_not_asked_for_pages(self):
        params = self.env["ir.config_parameter"]
        key = "user_email_alias.allowed_targets"
        for allowed, is_asked in (
            ("localhost 127.0.0.1 127.0.0.0/8", False),
            (f"localhost 127.0.0.0/8:{self.web.port}", True),
        ):
            with self.subTest(allowed=allowed):
                params.set_param(key, allowed)
                setup, _action = self.begin(f"{LOCAL}@{DOMAIN}")
                self.assertEqual(bool(self.web.connections), is_asked)
                self.assertEqual(setup.step == "password", is_asked)

    def test_no_address_is_told_in_the_dialogue(self):
        for email in (False, "", "alice", "a@b@c", "alice@localhost"):
            with self.subTest(email=email):
                setup, action = self.begin(email)
                self.assertEqual(action["res_id"], setup.id)
                self.assertEqual(setup.step, "address")
                self.assertTrue(setup.message)
        self.assertFalse(self.dns.questions)

    def test_by_hand_takes_along_what_is_known(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        context = setup.action_by_hand()["context"]
        self.assertEqual(context["default_smtp_server"], self.provider.smtp_server)
        self.assertEqual(context["default_delay_ms"], 1500)
        empty = self.env["user.email.alias.setup"].create({})
        self.assertFalse(empty.action_by_hand()["context"])

    def test_sign_in_that_is_not_set_up_goes_on_to_an_app_password(self):
        setup, _action = self.begin("alice@gmail.com")
        self.assertEqual(setup.step, "password")
        self.assertEqual(setup.missing_sign_in, "Google")
        self.assertIn("apppasswords", setup.app_password_url)
        self.assertFalse(setup.imap_server, "it files copies by itself")
        setup, _action = self.begin("alice@outlook.com")
        self.assertEqual((setup.step, setup.missing_sign_in), ("nothing", "Microsoft"))
        self.assertIn("no passwords", setup.note)

    def test_sign_in_that_is_set_up_is_all_there_is(self):
        Settings = self.env["user.email.alias.oauth.settings"]
        Settings._register__("google", {"client_id": "x"}, "y")
        self.dns.set(NOTHING, "MX", "10 aspmx.l.google.com.")
        setup, _action = self.begin(f"{LOCAL}@{NOTHING}")
        self.assertEqual((setup.step, setup.sign_in), ("sign_in", "google"))
        self.assertIn(f"Mail for {NOTHING} goes to Google", setup.found)

    def test_setup_of_somebody_else_is_closed(self):
        setup, _action = self.begin(f"{LOCAL}@{TABLE}")
        stranger = setup.with_user(self.other)
        with self.assertRaises(AccessError):
            stranger.read(["email"])
        with self.assertRaises(AccessError):
            stranger.action_test_connection()
        self.prove(setup)
        own = self.env["user.email.alias.setup"].with_user(self.other).create({})
        with self.assertRaises(AccessError):
            own.alias_id = setup.alias_id

    def test_users_do_not_read_the_table(self):
        with self.assertRaises(AccessError):
            self.provider.with_user(self.user).read(["smtp_server"])


@tagged("post_install", "-at_install", "user_email_alias")
class TestSetupSignIn(OAuthFlowCase):
    flavour = "google"

    def test_provider_is_told_the_address_and_given_up_leaves_nothing(self):
        self.alias.unlink()
        Setup = self.env["user.email.alias.setup"].with_user(self.user)
        setup = Setup.create(
            {"email": "anna@example.com", "sign_in": "google", "step": "sign_in"}
        )
        url = self.call(setup, "action_sign_in")["url"]
        self.assertIn("login_hint=anna%40example.com", url)
        alias = self.env["user.email.alias"].search([("user_id", "=", self.user.id)])
        self.assertFalse(alias.email_from, "the sign-in fills it in")
        self.assertTrue(alias._remove_abandoned())


@tagged("post_install", "-at_install", "user_email_alias")
class TestLookUp(QueueCase):
    """What others see of the database while the domain's servers are asked."""

    def setUp(self):
        super().setUp()
        self.dns = self.enterContext(FakeDnsServer())
        self.set_nameserver(self.dns.nameserver)
        self.addCleanup(self.set_nameserver, False)

    def set_nameserver(self, nameserver):
        with self.committed() as env:
            params = env["ir.config_parameter"]
            params.set_param("user_email_alias.nameserver", nameserver)

    def test_no_transaction_is_open_meanwhile(self):
        states = []
        with (
            patch.object(modules.module, "current_test", None),
            self.committed(self.user_id) as env,
        ):
            pid = env.cr._cnx.get_backend_pid()
            self.dns.watch = lambda name, kind: states.append(self.get_state(pid))
            with self.assertRaises(NoSuchDomain):
                env["user.email.alias"]._discover__("a@nothing.example")
        self.assertGreaterEqual(len(states), 4)
        self.assertEqual(set(states), {"idle"})

    def get_state(self, pid):
        with self.committed() as env:
            env.cr.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid])
            return env.cr.fetchone()[0]
