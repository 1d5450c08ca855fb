import copy

from markupsafe import Markup

from odoo import api, models
from odoo.tools import email_normalize, email_normalize_all


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def message_post(self, *, email_from=None, author_id=None, **kwargs):
        """Extend: From and Reply-To of a message written with an alias."""
        sender = {"email_from": email_from, "author_id": author_id, **kwargs}
        thread = self.env["user.email.alias"]._forget_picked(self)
        return super(MailThread, thread).message_post(
            **self._email_alias_complete(sender)
        )

    def message_notify(self, *, email_from=None, author_id=None, **kwargs):
        """Extend: as :meth:`message_post`, for what has no thread."""
        sender = {"email_from": email_from, "author_id": author_id, **kwargs}
        thread = self.env["user.email.alias"]._forget_picked(self)
        return super(MailThread, thread).message_notify(
            **self._email_alias_complete(sender)
        )

    def _message_track_post_template(self, changes):
        """Restrict: what a change sets off is nothing a person has picked."""
        thread = self.env["user.email.alias"]._forget_picked(self)
        return super(MailThread, thread)._message_track_post_template(changes)

    def _message_auto_subscribe_notify(self, partner_ids, template):
        """Restrict: as :meth:`_message_track_post_template`."""
        thread = self.env["user.email.alias"]._forget_picked(self)
        return super(MailThread, thread)._message_auto_subscribe_notify(
            partner_ids, template
        )

    def _email_alias_complete(self, values):
        """Let the alias say who the sender is: named in ``values``, or picked.

        :raise AccessError, UserError: it is not the user's own, or cannot be used
        """
        Alias = self.env["user.email.alias"]
        if key := values.get("email_alias_key"):
            values = {**values, "email_alias_id": Alias._get_by_key(key).id}
        values = {k: v for k, v in values.items() if k != "email_alias_key"}
        if "email_alias_id" not in values and (picked := Alias._get_picked()):
            values = {**values, "email_alias_id": picked.id}
        alias = Alias.browse(values.get("email_alias_id") or [])
        if not alias:
            return values
        alias._check_usable()
        # sudo: one's own alias, just checked
        sender = alias.sudo()._get_sender_values(keep_reply_to="reply_to" in values)
        author_id = values.get("author_id") or self.env.user.partner_id.id
        return {**values, **sender, "author_id": author_id}

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        """Extend: emails for later wait in the queue from now on.

        They would be made of what message, files and recipients are by then.
        """
        moment = self._is_notification_scheduled(kwargs.get("scheduled_date"))
        recipients = super()._notify_thread(message, msg_vals=msg_vals, **kwargs)
        # sudo: which alias a message has is read with the message
        if moment and recipients and message.sudo().email_alias_id:
            kwargs.pop("scheduled_date")
            later = self._fallback_lang().with_context(email_alias_moment=moment)
            later._notify_thread_by_email(
                message, recipients, msg_vals=msg_vals, **kwargs
            )
        return recipients

    def _notify_thread_by_email(self, message, recipients_data, **kwargs):
        """Restrict: what waited in the queue is not sent once more at its time."""
        if message.id in self.env.context.get("email_alias_queued_ids", ()):
            recipients_data = []
        return super()._notify_thread_by_email(message, recipients_data, **kwargs)

    def _get_message_create_valid_field_names(self):
        """Extend: a message may name the alias it is written with."""
        return super()._get_message_create_valid_field_names() | {"email_alias_id"}

    def _notify_by_email_get_base_mail_values(self, message, *args, **kwargs):
        """Extend: notifications of a message leave by the message's alias."""
        values = super()._notify_by_email_get_base_mail_values(message, *args, **kwargs)
        # sudo: which alias a message has is read with the message
        if alias := message.sudo().email_alias_id:
            values["email_alias_id"] = alias.id
            if self.env.context.get("email_alias_bulk"):
                values["email_alias_bulk"] = True
            if moment := self.env.context.get("email_alias_moment"):
                values["scheduled_date"] = moment
        return values

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        """Extend: an alias may have a signature of its own."""
        context = super()._notify_by_email_prepare_rendering_context(
            message, *args, **kwargs
        )
        # sudo: the signature goes to the recipients
        signature = message.sudo().email_alias_id._get_signature()
        if context["email_add_signature"] and signature:
            context["signature"] = Markup("<div>-- <br/>%s</div>") % signature
        return context

    # ------------------------------------------------------------------
    # Whose address it is
    # ------------------------------------------------------------------

    @api.model
    def _mail_find_partner_from_emails(
        self, emails, records=None, force_create=False, extra_domain=False
    ):
        """Extend: core looks among what it found for the very address."""
        found = super()._mail_find_partner_from_emails(
            emails,
            records=records,
            force_create=force_create,
            extra_domain=extra_domain,
        )
        keys = [email_normalize(email) for email in emails]
        owners = self.env["user.email.alias"]._get_owners(keys)
        return [
            owners.get(key, partner) for key, partner in zip(keys, found, strict=True)
        ]

    @api.model
    def _routing_check_route(self, message, message_dict, route, raise_exception=True):
        """Extend: whoever may write to an address of Odoo may do so from an alias.

        Some apps look for the address among employees, or members of a group.
        """
        email_from = message_dict["email_from"]
        owners = self.env["user.email.alias"]._get_owners([email_normalize(email_from)])
        owner = next(iter(owners.values()), self.env["res.partner"])
        if not route[4] or not owner.email:
            return super()._routing_check_route(
                message, message_dict, route, raise_exception=raise_exception
            )
        seen = copy.deepcopy(message)
        del seen["From"]
        seen["From"] = message_dict["email_from"] = owner.email_formatted
        try:
            return super()._routing_check_route(
                seen, message_dict, route, raise_exception=raise_exception
            )
        finally:
            # core notes the author on it
            message_dict["email_from"] = email_from

    def _message_parse_post_process(self, message, message_dict, routes):
        """Extend: what a user writes in a mail program of their own, from the address
        of an alias, goes on by that alias.

        A program's answer does not (RFC 3834 5), nor a note among colleagues, nor what
        a user hands over by RPC: an incoming server has not seen it.
        """
        values = super()._message_parse_post_process(message, message_dict, routes)
        is_received = self.env.su
        is_written = message.get("Auto-Submitted", "no").strip().lower() == "no"
        is_note = message_dict.get("is_internal")
        # the members of a mailing list are written to by the list
        is_thread = all("message_ids" in self.env[route[0]] for route in routes)
        Alias = self.env["user.email.alias"]
        is_ours = is_received and is_written and is_thread and not is_note
        if is_ours and values.get("author_id"):
            alias = Alias._get_alias_of(message_dict["email_from"], values["author_id"])
            if alias:
                values["email_alias_id"] = alias.id
        owners = Alias._get_owners([email_normalize(message_dict["email_from"])])
        for owner in owners.values():
            # records made of it are the owner's: some write it back to the contact
            if owner.id == values.get("author_id") and owner.email:
                values["email_from"] = values["from"] = owner.email_formatted
        return values

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Extend: whom an email reached at an alias is not sent it once more."""
        recipients = super()._notify_get_recipients(message, msg_vals, **kwargs)
        # sudo: as core, who has written it to whom decides who else gets it
        message_sudo = message.sudo()
        reached = ", ".join(
            (msg_vals or {}).get(fname, message_sudo[fname]) or ""
            for fname in ("incoming_email_to", "incoming_email_cc")
        )
        owners = self.env["user.email.alias"]._get_owners(email_normalize_all(reached))
        reached_ids = {owner.id for owner in owners.values()}
        return [found for found in recipients if found["id"] not in reached_ids]

    def _thread_to_store(self, store, fields, *, request_list=None):
        """Extend: the composer proposes the alias that fits, without asking for it."""
        super()._thread_to_store(store, fields, request_list=request_list)
        # the Inbox asks for the alias alone: whom core suggests is written to as well
        if {"emailAliasProposal", "suggestedRecipients"} & set(request_list or ()):
            for thread, values in self._email_alias_proposals():
                store.add(thread, values, as_thread=True)

    def _email_alias_proposals(self):
        """Yield (thread, what the web client is told of its alias)."""
        Alias = self.env["user.email.alias"]
        if self.env.user._is_internal() and Alias._has_own():
            for thread in self:
                yield thread, {"emailAliasProposal": Alias._propose(thread).id}
