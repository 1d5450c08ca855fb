from odoo.tests import tagged

from odoo.addons.user_email_alias.tests.common_dialogue import DialogueCase


@tagged("post_install", "-at_install", "user_email_alias")
class TestShare(DialogueCase):
    groups = ("project.group_project_manager", "base.group_partner_manager")

    def setUp(self):
        super().setUp()
        self.partner_ids = self.create_partners(3)
        self.project_id = self.create("project.project", {"name": "Bridge"})[0]

    def test_a_task_is_shared_at_the_alias_s_pace(self):
        task_id = self.create(
            "project.task", {"name": "Task", "project_id": self.project_id}
        )[0]
        context = {"active_model": "project.task", "active_id": task_id}
        self.assertOffersFrom("portal.share", context)
        self.press(
            "action_send_mail",
            "portal.share",
            context,
            partner_ids=[[6, 0, self.partner_ids]],
        )
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        self.assertOutcome("project.task", task_id)

    def _delete_created(self):
        with self.committed() as env:
            env["project.project"].browse(self.project_id).collaborator_ids.unlink()
        super()._delete_created()

    def share_project(self, **values):
        context = {"active_model": "project.project", "active_id": self.project_id}
        self.assertOffersFrom("project.share.wizard", context)
        collaborators = [
            [0, 0, {"partner_id": partner_id, "access_mode": mode}]
            for partner_id, mode in zip(
                self.partner_ids, ("read", "edit", "edit"), strict=True
            )
        ]
        self.press(
            "action_send_mail",
            "project.share.wizard",
            context,
            collaborator_ids=collaborators,
            **values,
        )

    def test_collaborators_are_invited_at_the_alias_s_pace(self):
        self.share_project()
        self.assertLeaves(*(f"guest{n}@example.org" for n in range(3)))
        self.assertOutcome("project.project", self.project_id)

    def test_odoos_own_server_can_be_chosen(self):
        self.share_project(email_alias_id=False)
        self.assertNothingLeaves()
