from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..sending.queries import IS_OWNER_GONE

# Whom recipients see.
IDENTITY_FIELDS = frozenset(("alias_name", "email_from"))

# The reason of a hold, until its owner is back and says that it may go on.
OWNER_GONE = "owner"


class UserEmailAliasOwner(models.AbstractModel):
    """An alias sends for as long as its owner works here.

    Asked at the moment of use: users lose their rights in many ways.
    """

    _name = "user.email.alias.owner"
    _description = "Email Alias: Owner"

    @api.model
    def _may_send(self, user):
        """Whether a user may have mail sent at all."""
        # sudo: whether somebody is an active internal user
        user_sudo = user.sudo()
        return user_sudo.active and not user_sudo.share

    def _check_owner_may_send(self):
        """As :meth:`_may_send`.

        :raise UserError: the owner has left
        """
        for alias_sudo in self.sudo():
            if not self._may_send(alias_sudo.user_id):
                raise UserError(
                    self.env._(
                        "%s, whose email alias this is, is archived or no internal "
                        "user any more.",
                        alias_sudo.user_id.name,
                    )
                )

    def _check_identity(self, vals):
        """Let nobody else put another name below what waits.

        :raise UserError: somebody else's mail waits with it
        """
        if self.env.su or not IDENTITY_FIELDS.intersection(vals):
            return
        for alias in self.filtered(lambda a: a.user_id != self.env.user):
            changed = any(
                fname in vals and (vals[fname] or False) != (alias[fname] or False)
                for fname in IDENTITY_FIELDS
            )
            if changed and alias.waiting_count:
                raise UserError(
                    self.env._(
                        "%(count)s emails of %(owner)s wait with this alias and would "
                        "leave in another name. Only %(owner)s can change it now.",
                        count=alias.waiting_count,
                        owner=alias.user_id.name,
                    )
                )

    @api.model
    def _hold_those_left(self):
        """Hold aliases with waiting mail whose owner has left, and say so."""
        self.env.flush_all()
        # in SQL: each run asks, and mail_mail has an index for it
        self.env.cr.execute(
            SQL(
                """
                SELECT alias.id FROM user_email_alias alias
                 WHERE alias.hold_reason IS DISTINCT FROM %s AND %s
                   AND EXISTS (SELECT FROM mail_mail
                                WHERE email_alias_id = alias.id AND state = 'outgoing')
                """,
                OWNER_GONE,
                IS_OWNER_GONE,
            )
        )
        for alias in self.browse(row[0] for row in self.env.cr.fetchall()):
            sentence = self.env._(
                "%(owner)s is archived or no internal user any more: the %(count)s "
                "emails that wait with this alias stay. Make %(owner)s an active "
                "internal user again, who can then send or drop them, or drop them "
                "yourself.",
                owner=alias.user_id.name,
                count=alias.waiting_count,
            )
            alias._set_hold(OWNER_GONE, sentence)
            alias._notify_owner(sentence)
            alias._tell_administrators(sentence)

    def _tell_administrators(self, sentence):
        self.ensure_one()
        partners = self._get_administrators() | self.user_id.partner_id
        self.env["mail.thread"].message_notify(
            partner_ids=partners.ids,
            subject=self.env._("Emails of %s wait", self.user_id.name),
            body=sentence,
            model=self._name,
            res_id=self.id,
        )

    @api.model
    def _get_administrators(self):
        """The partners of the users who manage users (Access Rights)."""
        # sudo: who they are is not told to anybody
        group = self.env.ref("base.group_erp_manager").sudo()
        return group.all_user_ids.filtered(
            lambda u: u.active and not u.share
        ).partner_id
