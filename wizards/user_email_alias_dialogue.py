import contextlib

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError


class UserEmailAliasDialogue(models.AbstractModel):
    """A dialogue of core in which a person writes and presses Send: its From.

    A dialogue inherits this, shows ``email_alias_id`` with the widget
    ``email_alias_from``, and sends in a block of :meth:`_email_alias_sending`.
    """

    _name = "user.email.alias.dialogue"
    _description = "Email Alias: Dialogue with a From"

    email_alias_id = fields.Many2one(
        "user.email.alias",
        "Email Alias",
        compute="_compute_email_alias_id",
        store=True,
        readonly=False,
        domain="[('user_id', '=', uid)]",
        help="The email alias you write with. Without one Odoo's own outgoing mail "
        "server sends this.",
    )
    has_email_alias = fields.Boolean(compute="_compute_has_email_alias")

    @api.depends_context("uid")
    def _compute_has_email_alias(self):
        self.has_email_alias = self.env["user.email.alias"]._has_own()

    def onchange(self, values, field_names, fields_spec):
        """Extend: a person has opened the dialogue, and is proposed an alias."""
        person = self.with_context(email_alias_person=True)
        return super(UserEmailAliasDialogue, person).onchange(
            values, field_names, fields_spec
        )

    @api.depends_context("uid", "email_alias_person")
    def _compute_email_alias_id(self):
        """What code sends by itself leaves as it would without this add-on."""
        is_person = self.env.context.get("email_alias_person")
        for dialogue in self:
            if is_person and not dialogue.email_alias_id:
                dialogue.email_alias_id = dialogue._email_alias_propose()
            else:
                dialogue.email_alias_id = dialogue.email_alias_id

    def _email_alias_propose(self):
        self.ensure_one()
        record = self._email_alias_get_record()
        if record and not record.has_access("read"):
            record = None
        return self.env["user.email.alias"]._propose(record)

    def _email_alias_get_record(self):
        """The record whose conversation this is, and whose chatter tells of it.

        Override it; a dialogue about none, or several, returns None.
        """
        return None

    @api.constrains("email_alias_id")
    def _check_email_alias_owner(self):
        """Refuse somebody else's alias before anything is written with it."""
        self.email_alias_id._check_owner()

    def write(self, vals):
        """Restrict: an alias sends what its owner wrote, and nobody else."""
        if vals.get("email_alias_id") and not self.env.su:
            # sudo: who wrote last; the system is nobody
            writers_sudo = self.sudo().write_uid - self.env.user
            if writers_sudo.filtered(lambda user: user.id != SUPERUSER_ID):
                raise UserError(
                    self.env._("Somebody else has changed this. Open it once more.")
                )
        return super().write(vals)

    @contextlib.contextmanager
    def _email_alias_sending(self, count):
        """Send with the alias of this dialogue, and show what becomes of it.

        :param count: how many recipients; several keep the alias's pace
        :return: as the block's target this dialogue, with the choice in its context
        """
        self.ensure_one()
        alias = self.email_alias_id
        with alias._follow_up(self._email_alias_get_record()):
            yield alias._pick_for(self, is_bulk=count > 1)
