"""What the apps of an office send by themselves: never by a personal alias."""

from odoo.tests import tagged

from ..common_automatic import ADA, GUEST, ROBOT, AutomaticCase, sets_off
from .common_orders import OrderMixin

COLLEAGUE = "queue_colleague@example.com"
INBOX = "inbox@corp.example"


@tagged("post_install", "-at_install", "user_email_alias")
class TestAccount(AutomaticCase):
    groups = ("account.group_account_invoice",)

    def create_invoice(self, **values):
        partner_id = self.create_partners(1)[0]
        lines = [(0, 0, {"name": "Work", "quantity": 1, "price_unit": 100})]
        with self.committed() as env:
            move = env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": partner_id,
                    "invoice_user_id": self.user_id,
                    "invoice_line_ids": lines,
                    **values,
                }
            )
            move.action_post()
            journal = move.journal_id
            before = journal.incoming_einvoice_notification_email
            journal.incoming_einvoice_notification_email = INBOX
            self.addCleanup(self._remove_invoice, move.id, before)
            move_id = move.id
        self.clear()
        return move_id

    def _remove_invoice(self, move_id, inbox):
        with self.committed() as env:
            move = env["account.move"].browse(move_id)
            move.journal_id.incoming_einvoice_notification_email = inbox
            move.message_ids.unlink()
            move.button_draft()
            move.with_context(force_delete=True).unlink()

    @sets_off(("account", "AccountJournal._notify_invoice_subscribers"))
    def test_subscribers_hear_of_an_invoice(self):
        move_id = self.create_invoice()
        context = {"active_model": "account.move", "active_ids": [move_id]}
        self.press(
            "action_send_and_print",
            "account.move.send.wizard",
            context,
            sending_methods=[],
            email_alias_id=self.alias_id,
        )
        self.assertLeavesAsEver(ADA, INBOX)

    @sets_off(("account", "AccountJournal._notify_invoice_subscribers"))
    def test_subscribers_hear_as_ever_of_an_invoice_that_leaves_by_the_alias(self):
        move_id = self.create_invoice()
        context = {"active_model": "account.move", "active_ids": [move_id]}
        self.press("action_send_and_print", "account.move.send.wizard", context)
        self.assertLeaves(GUEST)
        self.assertLeftAsEver((ADA, INBOX))

    @sets_off(("account", "AccountJournal._notify_einvoices_received"))
    def test_an_invoice_that_came_in(self):
        move_id = self.create_invoice()
        with self.committed() as env:
            template = env.ref("account.mail_template_invoice_subscriber")
            name = env["ir.model.data"].search(
                [("model", "=", template._name), ("res_id", "=", template.id)]
            )
            # as in a database whose module was not updated
            name.name = "other"
            self.addCleanup(self._rename, name.id, "mail_template_invoice_subscriber")
        with self.committed(self.user_id) as env:
            move = env["account.move"].browse(move_id)
            move.journal_id.sudo()._notify_einvoices_received(move)
        self.assertLeavesAsEver(self.company, INBOX)

    def _rename(self, data_id, name):
        with self.committed() as env:
            env["ir.model.data"].browse(data_id).name = name


@tagged("post_install", "-at_install", "user_email_alias")
class TestSale(OrderMixin, AutomaticCase):
    groups = ("sales_team.group_sale_salesman_all_leads",)

    @sets_off(("sale", "SaleOrder._send_order_notification_mail"))
    def test_an_order_that_is_confirmed(self):
        product_id = self.create("product.product", {"name": "Knot"})[0]
        order_id = self.create(
            "sale.order",
            {
                "partner_id": self.create_partners(1)[0],
                "user_id": self.user_id,
                "order_line": [(0, 0, {"product_id": product_id})],
            },
        )[0]
        self.clear()
        with self.committed(self.user_id) as env:
            env["sale.order"].browse(order_id)._validate_order()
        self.assertLeavesAsEver(ADA, GUEST)


@tagged("post_install", "-at_install", "user_email_alias")
class TestPeople(AutomaticCase):
    groups = ("hr_recruitment.group_hr_recruitment_user",)

    @sets_off(("hr", "ResUsers.write"))
    def test_a_user_changes_what_the_office_knows(self):
        responsible_id = self.create_colleague()
        self.create(
            "hr.employee",
            {
                "name": "Ada Lovelace",
                "user_id": self.user_id,
                "hr_responsible_id": responsible_id,
            },
        )
        self.addCleanup(self._release, responsible_id)
        self.clear()
        with self.committed(self.user_id) as env:
            env.user.write({"private_city": "London"})
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    def _release(self, user_id):
        with self.committed() as env:
            versions = env["hr.version"].with_context(active_test=False)
            people = (user_id, self.user_id)
            for name in ("hr_responsible_id", "last_modified_uid"):
                found = versions.search([(name, "in", people)])
                found[name] = env.ref("base.user_admin")

    @sets_off(
        ("hr_recruitment", "HrApplicant.create"),
        ("hr_recruitment", "HrApplicant.write"),
    )
    def test_an_interviewer_is_told(self):
        interviewers = {"interviewer_ids": [[6, 0, [self.create_colleague()]]]}
        applicants = [{"partner_name": "Guest", **interviewers}, {"partner_name": "B"}]
        ids = self.call("hr.applicant", "create", applicants)
        self.created.append(("hr.applicant", ids))
        self.call("hr.applicant", "write", ids[1:], interviewers)
        self.assertLeavesAsEver(ADA, COLLEAGUE, COLLEAGUE)


@tagged("post_install", "-at_install", "user_email_alias")
class TestProject(AutomaticCase):
    groups = ("project.group_project_manager",)

    def setUp(self):
        super().setUp()
        self.project_ids = self.create(
            "project.project", {"name": "Bridge"}, {"name": "Tunnel"}
        )

    def create_task(self, **values):
        task = {"name": "Task", "project_id": self.project_ids[0], **values}
        task_id = self.create("project.task", task)[0]
        self.clear()
        return task_id

    @sets_off(
        ("project", "ProjectTask.write"),
        ("project", "ProjectTask._task_message_auto_subscribe_notify"),
    )
    def test_a_task_is_given_to_a_colleague(self):
        task_id = self.create_task()
        users = {"user_ids": [[6, 0, [self.create_colleague()]]]}
        self.call("project.task", "write", [task_id], users)
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("project", "ProjectTask.write"))
    def test_a_task_goes_to_another_project(self):
        colleague_id = self.create_colleague()
        with self.committed() as env:
            partner = env["res.users"].browse(colleague_id).partner_id
            subtype = env.ref("project.mt_project_task_new")
            project = env["project.project"].browse(self.project_ids[1])
            project.message_subscribe(partner.ids, subtype.ids)
        task_id = self.create_task()
        project = {"project_id": self.project_ids[1]}
        self.call("project.task", "write", [task_id], project)
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("project", "ProjectTask._send_email_notify_to_cc"))
    def test_whoever_is_in_copy_is_told(self):
        self.create_colleague()
        task = {"name": "Task", "project_id": self.project_ids[0]}
        ids = self.call("project.task", "create", [{**task, "email_cc": COLLEAGUE}])
        self.created.append(("project.task", ids))
        self.assertLeavesAsEver(ADA, COLLEAGUE)

    @sets_off(("mail", "MailThread._message_track_post_template"))
    def test_a_stage_with_a_template(self):
        partner_to = str(self.create_partners(1)[0])
        template_id = self.create_template(
            "project.task", email_to=False, partner_to=partner_to
        )
        projects = {"project_ids": [(6, 0, self.project_ids)]}
        stage_ids = self.create(
            "project.task.type",
            {"name": "First", "sequence": 1, **projects},
            {"name": "Next", "mail_template_id": template_id, **projects},
        )
        task_id = self.create_task(stage_id=stage_ids[0])
        self.call("project.task", "write", [task_id], {"stage_id": stage_ids[1]})
        self.assertLeavesAsEver(ROBOT, GUEST)

    def create_rated_task(self, **values):
        """A task of a customer, in a stage that asks what they think of it."""
        self.partner_ids = self.create_partners(1)
        template_id = self.create_template(
            "project.task", email_to=False, partner_to="{{ object.partner_id.id }}"
        )
        projects = {"project_ids": [(6, 0, self.project_ids)]}
        rated = {"rating_active": True, "rating_template_id": template_id}
        stage_ids = self.create(
            "project.task.type",
            {"name": "First", "sequence": 1, **projects},
            {"name": "Rated", **rated, **projects, **values},
        )
        task_id = self.create_task(
            stage_id=stage_ids[0], partner_id=self.partner_ids[0]
        )
        return task_id, stage_ids[1]

    @sets_off(("rating", "MailThread.rating_send_request"))
    def test_a_stage_that_asks_for_a_rating(self):
        task_id, stage_id = self.create_rated_task(rating_status="stage")
        self.call("project.task", "write", [task_id], {"stage_id": stage_id})
        self.assertLeavesAsEver(ROBOT, GUEST)

    @sets_off(("rating", "MailThread.rating_send_request"))
    def test_a_stage_that_asks_for_a_rating_each_day(self):
        task_id, stage_id = self.create_rated_task(rating_status="periodic")
        self.call("project.task", "write", [task_id], {"stage_id": stage_id})
        with self.committed() as env:
            stage = env["project.task.type"].browse(stage_id)
            stage.rating_request_deadline = "2020-01-01 00:00:00"
        self.run_job("project.ir_cron_rating_project")
        self.assertLeavesAsEver(ROBOT, GUEST)
