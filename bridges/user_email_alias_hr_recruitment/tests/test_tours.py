from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_browser import BrowserCase

from .test_dialogues import ApplicantCase

COUNT = 20
DELAY_MS = 500


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestApplicantsTour(ApplicantCase, BrowserCase):
    def test_twenty_are_written_to_from_the_list_half_a_second_apart(self):
        self.write_alias(delay_ms=DELAY_MS)
        ids = self.create_applicants(COUNT)
        with self.committed() as env:
            action_id = (
                env["ir.actions.act_window"]
                .create(
                    {
                        "name": "Guests",
                        "res_model": "hr.applicant",
                        "view_mode": "list,form",
                        "domain": [("id", "in", ids)],
                    }
                )
                .id
            )
        self.created.append(("ir.actions.act_window", [action_id]))
        self.start_tour(f"/odoo/action-{action_id}", "user_email_alias_applicants")
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(COUNT)))
        self.assertEqual(len(self.gaps()), COUNT - 1)
        self.assertGreaterEqual(min(self.gaps()), DELAY_MS / 1000)
        for applicant_id in ids:
            self.assertOutcome("hr.applicant", applicant_id)
