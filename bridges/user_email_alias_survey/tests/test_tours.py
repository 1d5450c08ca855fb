from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_browser import BrowserCase

from .test_dialogues import SurveyCase


@tagged("post_install", "-at_install", "user_email_alias", "user_email_alias_tour")
class TestSurveyTour(SurveyCase, BrowserCase):
    def test_a_survey_is_shared_with_the_button_on_it(self):
        self.create_partners(1)
        survey_id = self.create_survey()
        self.start_tour(f"/odoo/survey.survey/{survey_id}", "user_email_alias_survey")
        self.assertLeaves("guest0@example.org", "other@example.org")
        self.assertOutcome("survey.survey", survey_id)
