# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The dialogues of other apps that `./dev screenshots --bridges` takes pictures of."""

from . import screens, stack
from .screens import Screen


def _open_dialogue(model: str, context: str) -> tuple[str, str]:
    """Return the step that opens a dialogue as a button does."""
    script = (
        "odoo.__WOWL_DEBUG__.root.env.services.action.doAction({ "
        f"type: 'ir.actions.act_window', res_model: '{model}', target: 'new', "
        f"views: [[false, 'form']], context: {context} }}).then(() => true)"
    )
    return "run", script


DIALOGUE = ".modal .o_email_alias_select"

SCREENS = (
    Screen(
        "invoice_send",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "account.move.send.wizard",
                "{active_model: 'account.move', active_ids: [{invoice}]}",
            ),
        ),
    ),
    Screen(
        "invoice_send_many",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "account.move.send.batch.wizard",
                "{active_model: 'account.move', active_ids: {invoices}}",
            ),
        ),
    ),
    Screen(
        "applicants_send",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "applicant.send.mail",
                "{default_applicant_ids: [[6, 0, {applicants}]]}",
            ),
        ),
    ),
    Screen(
        "applicants_refuse",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "applicant.get.refuse.reason",
                "{default_applicant_ids: [[6, 0, {applicants}]], active_test: false}",
            ),
        ),
    ),
    Screen(
        "survey_share",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "survey.invite",
                "{default_survey_id: {survey}, default_template_id: {invitation}, "
                "default_email_layout_xmlid: 'mail.mail_notification_light'}",
            ),
        ),
    ),
    Screen(
        "calendar_event",
        "action-calendar.action_calendar_event/new",
        ".o_form_view .o_email_alias_select",
    ),
    Screen(
        "followers",
        "crm",
        DIALOGUE,
        steps=(
            _open_dialogue(
                "mail.followers.edit",
                "{default_res_model: 'crm.lead', default_res_ids: '[{lead}]', "
                "default_notify: true}",
            ),
        ),
    ),
)


def prepare(running: stack.Stack) -> dict:
    """Fill the database so that the dialogues have something to show."""
    records = screens.prepare(running)
    admin, demo = running.client("admin"), running.client("demo")
    names = [
        ("account", "group_account_invoice"),
        ("hr_recruitment", "group_hr_recruitment_user"),
        ("survey", "group_survey_manager"),
        ("survey", "mail_template_user_input_invite"),
    ]
    *groups, invitation = [
        admin(
            "ir.model.data",
            "search_read",
            [("module", "=", module), ("name", "=", name)],
            ["res_id"],
        )[0]["res_id"]
        for module, name in names
    ]
    commands = [(4, group) for group in groups]
    admin("res.users", "write", [records["demo"]], {"group_ids": commands})
    [user] = demo("res.users", "read", [records["demo"]], ["company_id"])
    posted = [
        ("move_type", "=", "out_invoice"),
        ("state", "=", "posted"),
        ("company_id", "=", user["company_id"][0]),
    ]
    invoices = demo("account.move", "search", posted, limit=3)
    written = [("email_from", "!=", False)]
    applicants = demo("hr.applicant", "search", written, limit=3)
    survey = admin(
        "survey.survey",
        "create",
        {"title": "How did you like it?", "access_mode": "token"},
    )
    return {
        **records,
        "invoice": invoices[0],
        "invoices": invoices,
        "applicants": applicants,
        "survey": survey,
        "invitation": invitation,
    }
