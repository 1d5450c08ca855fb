"""Several processes and one account: one refresh, and nothing lost when one dies."""

import threading
import time
from unittest.mock import patch

from psycopg2 import errors

from odoo import api
from odoo.tests import tagged

from ..exceptions import AliasHold, AliasRetry
from ..models import user_email_alias_oauth_token
from ..tools import oauth
from .common_oauth_queue import BEN, OAuthQueueCase, die

PROCESSES = 8


class ProcessTests:
    rounds = 0

    def test_eight_processes_at_once_make_one_refresh_each_time(self):
        processes = self.start_processes(PROCESSES, self.get_token)
        for number in range(self.rounds):
            self.make_stale()
            before = self.idp.refreshes
            for process in processes:
                process.go()
            results = [process.result() for process in processes]
            told = f"round {number}: {results}"
            self.assertEqual(self.idp.refreshes, before + 1, told)
            self.assertEqual(len({token for token, _is_new in results}), 1, told)
            self.assertEqual(sum(is_new for _token, is_new in results), 1, told)
        self.assertEqual(self.idp.refused_refreshes, 0)

    def test_refused_token_is_replaced_once_for_all(self):
        token, _is_new = self.get_token()
        processes = self.start_processes(
            PROCESSES, lambda: self.get_token(refused_secret=token)
        )
        for process in processes:
            process.go()
        results = [process.result() for process in processes]
        self.assertEqual(self.idp.refreshes, 1, results)
        self.assertNotEqual(results[0][0], token)

    def test_killed_before_the_answer_is_kept_costs_that_account_only(self):
        with self.committed() as env:
            second_id = self.create_alias(env).id
        self.sign_in(BEN, second_id)
        self.make_stale()
        Alias = self.registry["user.email.alias"]
        with patch.object(Alias, "_store_tokens__", lambda self, tokens: die()):
            [process] = self.start_processes(1, self.get_token)
        process.go()
        self.assertIsNone(process.result())
        self.assertEqual(self.idp.refreshes, 1, "the provider has rotated")
        ids = self.queue("lead@example.org")
        self.run_queue()
        alias = self.read_alias("state", "hold_reason", "state_message")
        self.assertEqual(alias["hold_reason"], "sign_in")
        self.assertIn("Sign in again", alias["state_message"])
        self.assertEqual(self.read_mails(ids, "state")[0]["state"], "outgoing")
        self.get_token(second_id, is_forced=True)
        self.assertEqual(self.sign_in(), "Status: OK")
        self.run_queue()
        self.assertEqual(self.served(), ["lead@example.org"])

    def test_killed_before_the_provider_is_asked_costs_nothing(self):
        self.make_stale()
        provider = oauth.PROVIDERS[self.flavour]
        with patch.object(provider, "refresh", lambda self, tokens: die()):
            [process] = self.start_processes(1, self.get_token)
        process.go()
        self.assertIsNone(process.result())
        started = time.monotonic()
        self.get_token()
        self.assertLess(
            time.monotonic() - started, 20, "the lock died with the process"
        )
        self.assertEqual(self.idp.refused_refreshes, 0)

    def test_transaction_that_changed_the_alias_gets_a_sentence_and_no_hang(self):
        self.make_stale()
        short = patch.object(user_email_alias_oauth_token, "ROW_TIMEOUT_MS", 300)
        with self.registry.cursor() as cr, short:
            alias = api.Environment(cr, self.user_id, {})["user.email.alias"].browse(
                self.alias_id
            )
            alias.delay_ms = 7
            alias.flush_recordset()
            started = time.monotonic()
            with self.assertRaisesRegex(AliasRetry, "being changed"):
                alias.sudo()._get_access_token__()
            self.assertLess(time.monotonic() - started, 15)
            cr.rollback()
        self.assertEqual(self.idp.refreshes, 0, "no answer of the provider is lost")
        self.get_token()

    def test_change_by_the_user_does_not_lose_the_providers_answer(self):
        self.make_stale()
        self.idp.knobs.delay = 4
        thread = threading.Thread(target=self.get_token)
        asked = len(self.idp.requests)
        thread.start()
        self.wait_until(lambda: len(self.idp.requests) > asked)
        self.queue("lead@example.org")
        self.assertTrue(thread.is_alive(), "writing mail does not wait")
        with self.assertRaises(errors.SerializationFailure):
            # what Odoo repeats by itself
            self.write_alias(delay_ms=9)
        thread.join()
        self.write_alias(delay_ms=9)
        self.idp.knobs.delay = 0
        self.get_token(is_forced=True)
        self.assertEqual(self.idp.refused_refreshes, 0)
        self.assertEqual(self.idp.refreshes, 2)

    def test_change_before_the_lock_is_read_anew(self):
        self.make_stale()
        with self.registry.cursor() as cr:
            cr.execute(
                "UPDATE user_email_alias SET delay_ms = 11 WHERE id = %s",
                [self.alias_id],
            )
            results = []
            thread = threading.Thread(target=lambda: results.append(self.get_token()))
            thread.start()
            time.sleep(0.3)
            self.assertEqual(self.idp.refreshes, 0)
            cr.commit()
        thread.join()
        self.assertEqual(len(results), 1)
        self.assertEqual(self.idp.refreshes, 1)

    def test_disconnected_meanwhile_is_a_hold(self):
        self.write_alias(oauth_secret=False)
        with self.assertRaises(AliasHold) as caught:
            self.get_token()
        self.assertEqual(caught.exception.reason, "sign_in")


@tagged("post_install", "-at_install", "user_email_alias")
class TestGoogleProcesses(ProcessTests, OAuthQueueCase):
    flavour = "google"
    rounds = 100


@tagged("post_install", "-at_install", "user_email_alias")
class TestMicrosoftProcesses(ProcessTests, OAuthQueueCase):
    flavour = "microsoft"
    rounds = 20
