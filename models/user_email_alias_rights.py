from odoo import models

from ..sending.why import NO_RIGHTS

# How often it is asked whether the owner has the rights again, in seconds.
ASK_AGAIN_SECONDS = 300


class UserEmailAliasRights(models.AbstractModel):
    """A mail leaves while its alias's owner may read the record it was written on.

    They could when they wrote it; that may be long ago.
    """

    _name = "user.email.alias.rights"
    _description = "Email Alias: Rights"

    def _email_alias_filter_allowed(self):
        """Those of these mails whose alias's owner may still read the record.

        A mailing finds its recipients by itself: nobody looks at their records there.
        One query for the records of a model and owner.
        """
        asked = self.filtered(
            lambda mail: (
                mail.res_id
                and not mail.mailing_id
                and mail.model in self.env
                and not self.env[mail.model]._abstract
            )
        )
        refused = self.browse()
        # sudo: whose alias it is, whatever may be read
        pairs = asked.grouped(lambda m: (m.model, m.sudo().email_alias_id.user_id))
        for (model, owner), mails in pairs.items():
            records = self.env[model].with_user(owner).browse(mails.mapped("res_id"))
            # one that is gone keeps nothing from anybody
            records = records.exists()
            closed = set((records - records._filtered_access("read")).ids)
            refused += mails.filtered(lambda mail, ids=closed: mail.res_id in ids)
        return self - refused

    def _email_alias_wait_for_rights(self):
        """Let a mail wait until its owner may read the record again; tell them once."""
        self.ensure_one()
        alias = self.email_alias_id
        is_told = self.search_count(
            [
                ("email_alias_id", "=", alias.id),
                ("failure_type", "=", NO_RIGHTS),
                ("state", "=", "outgoing"),
            ],
            limit=1,
        )
        reason = self.env._(
            "You may not read the record any more that this email was written on. It "
            "waits until you may, or until you cancel it."
        )
        self._email_alias_defer(ASK_AGAIN_SECONDS, reason)
        self.failure_type = NO_RIGHTS
        if not is_told:
            alias._notify_owner(f"{self.subject or ''}: {reason}")
