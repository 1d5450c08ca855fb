"""Email Marketing sends emails; SMS Marketing adds text messages to it."""

from odoo.tests import tagged

from .common import AliasCommon


@tagged("post_install", "-at_install", "user_email_alias")
class TestMailingKinds(AliasCommon):
    """Each kind that is installed; only an email has an alias."""

    def kinds(self):
        for kind in dict(self.env["mailing.mailing"]._fields["mailing_type"].selection):
            with self.subTest(kind=kind):
                yield kind, self.alias_alice if kind == "mail" else self.alias_alice[:0]

    def create_kind(self, kind, **values):
        texts = {"body_plaintext": "News"} if kind == "sms" else {}
        return self.create_mailing(
            self.user_alice, mailing_type=kind, **texts, **values
        )

    def test_a_person_is_proposed_an_alias_for_an_email_only(self):
        for kind, alias in self.kinds():
            reply = self.rpc(
                self.user_alice,
                self.env["mailing.mailing"],
                "onchange",
                {},
                [],
                {"email_alias_id": {"fields": {}}},
                context={"default_mailing_type": kind},
            )
            proposed = reply["value"]["email_alias_id"]
            self.assertEqual(proposed["id"] if proposed else False, alias.id)

    def test_only_an_email_gets_an_alias_whatever_is_asked_for(self):
        for kind, alias in self.kinds():
            self.assertEqual(self.create_kind(kind).email_alias_id, alias)
            named = self.create_kind(kind, email_alias_id=self.alias_alice.id)
            self.assertEqual(named.email_alias_id, alias)
            written = self.create_kind(kind, email_alias_id=False)
            written.email_alias_id = self.alias_alice
            self.assertEqual(written.email_alias_id, alias)

    def test_an_email_that_becomes_another_kind_loses_its_alias(self):
        for kind, alias in self.kinds():
            mailing = self.create_kind("mail")
            self.assertEqual(mailing.email_alias_id, self.alias_alice)
            mailing.mailing_type = kind
            self.assertEqual(mailing.email_alias_id, alias)

    def test_another_kind_can_change_hands(self):
        for kind, alias in self.kinds():
            if not alias:
                mailing = self.create_kind(kind)
                mailing.user_id = self.user_bob
                self.assertEqual(mailing.user_id, self.user_bob)
