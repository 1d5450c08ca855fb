"""A mailing of Bob's, and what somebody else would like to make of it."""

from .common import AliasCommon


class MailingCase(AliasCommon):
    def setUp(self):
        super().setUp()
        self.mailing = self.create_mailing(self.user_bob)

    def as_(self, user):
        return self.mailing.with_user(user)

    def evil_changes(self):
        """Values that change what recipients see, or who they are."""
        everybody = self.env["mailing.filter"].create(
            {
                "name": "All",
                "mailing_model_id": self.mailing.mailing_model_id.id,
                "mailing_domain": "[]",
            }
        )
        return (
            {"subject": "Evil"},
            {"body_html": "<p>Evil</p>"},
            {"preview": "Evil"},
            {"mailing_domain": "[]"},
            {"mailing_filter_id": everybody.id},
            {"reply_to_mode": "new", "reply_to": "evil@x.example"},
            {"attachment_ids": [(0, 0, {"name": "x", "raw": b"x"})]},
            {"use_exclusion_list": False},
        )
