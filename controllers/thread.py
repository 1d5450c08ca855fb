from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.mail.controllers.thread import ThreadController


class EmailAliasThreadController(ThreadController):
    def _prepare_message_data(self, post_data, *, thread, **kwargs):
        """Extend: what a user posts with "Send message" goes by their alias.

        An alias named by the browser is checked where the message is created.
        """
        data = super()._prepare_message_data(post_data, thread=thread, **kwargs)
        if not kwargs.get("from_create") or not self._is_sent_message(data, thread):
            return data
        if "email_alias_id" in post_data:
            alias_id = post_data["email_alias_id"]
        else:
            alias_id = request.env["user.email.alias"]._propose(thread).id
        if alias_id:
            data["email_alias_id"] = _as_id(alias_id)
        return data

    @staticmethod
    def _is_sent_message(data, thread):
        return (
            request.env.user._is_internal()
            and thread._name != "discuss.channel"
            and data.get("message_type") == "comment"
            and data.get("subtype_xmlid") == "mail.mt_comment"
        )


def _as_id(value):
    """Read the id of an alias out of foreign data."""
    is_text = isinstance(value, int | str) and not isinstance(value, bool)
    if not is_text or not str(value).isdecimal():
        raise UserError(request.env._("Choose the sender from the list."))
    return int(value)
