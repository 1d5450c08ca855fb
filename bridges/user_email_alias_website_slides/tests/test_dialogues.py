from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestInvitation(DialogueCase):
    groups = ("website_slides.group_website_slides_manager",)
    model = "slide.channel.invite"

    def invite(self, count, **values):
        self.channel_id = self.create("slide.channel", {"name": "Knots"})[0]
        with self.committed() as env:
            template = env.ref("website_slides.mail_template_slide_channel_invite")
        context = {
            "default_channel_id": self.channel_id,
            "default_template_id": template.id,
            "default_email_layout_xmlid": "mail.mail_notification_light",
        }
        self.assertOffersFrom(self.model, context)
        self.press(
            "action_invite",
            self.model,
            context,
            **{
                "send_email": True,
                "partner_ids": [[6, 0, self.create_partners(count)]],
                **values,
            },
        )

    def test_several_are_invited_at_the_alias_s_pace(self):
        self.invite(3)
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        self.assertOutcome("slide.channel", self.channel_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.invite(1, email_alias_id=False)
        self.assertNothingLeaves()
