"""What the reader of a reason can click next: nothing they have no right to."""

# Why an alias is on hold, where its fields have to be filled in first of all.
TO_EDIT = ("incomplete", "login_missing", "password", "tls", "vault")


class Clicks:
    """The buttons below the reasons of one alias, for one reader.

    :param words: the :class:`Words` of the alias, for the same reader
    """

    def __init__(self, words):
        self.env = words.env
        self.alias = words.alias
        self.house = words.house
        self.reader = words.reader
        self.is_own = words.is_own
        self.may_read = words.may_read

    def get(self, reason):
        """Return dicts for the web client, the best one first."""
        offer = getattr(self, f"_offer_{reason.key}", None)
        return list(offer(reason)) if offer else []

    def _offer_copy(self, reason):
        if self.reader.is_system:
            yield self._click(
                self.env._("Send What Waits"),
                "action_copy_send",
                confirm=self.env._(
                    "Everything that waits in this database, of all users, is sent "
                    "from here. If the original still sends too, people get it twice."
                ),
            )
            yield self._click(
                self.env._("Drop What Waits"),
                "action_copy_drop",
                confirm=self.env._(
                    "Everything that waits in this database, of all users, is "
                    "cancelled here. The original is not touched."
                ),
            )

    def _offer_neutralised(self, reason):
        if self.reader.is_system:
            yield self._open_parameters("database.is_neutralized")

    def _offer_job_off(self, reason):
        if self.reader.is_system and self.house.job.cron_id:
            yield self._open(
                self.env._("Open Scheduled Action"), "ir.cron", self.house.job.cron_id
            )

    _offer_job_unattended = _offer_job_off

    def _offer_owner(self, reason):
        if self.reader.is_administrator:
            yield self._open(
                self.env._("Open User"), "res.users", self.alias.user_id.id
            )
            yield from self._offer_drop()

    def _offer_drop(self):
        reason = self.alias.hold_reason if self.alias.state == "hold" else None
        if (reason == "stale" and self.is_own) or reason == "owner":
            yield self._click(
                self.env._("Drop What Waits"),
                "action_drop_stale",
                confirm=self.env._(
                    "All that waits with this alias is cancelled and never leaves."
                ),
            )

    def _offer_archived(self, reason):
        if self.may_read:
            yield self._click(self.env._("Unarchive"), "action_unarchive")

    def _offer_hold(self, reason):
        alias = self.alias
        if not self.is_own:
            if self.reader.is_administrator:
                yield self._open_alias()
                if alias.hold_reason == "owner":
                    yield from self._offer_drop()
            return
        if alias.hold_reason == "stale":
            yield self._click(
                self.env._("Send What Waits"),
                "action_send_stale",
                confirm=self.env._(
                    "All that waits with this alias leaves now, however old it is."
                ),
            )
            yield from self._offer_drop()
            return
        if alias.hold_reason in TO_EDIT:
            yield self._open_alias()
        if alias.provider != "smtp" and not alias.is_by_organisation:
            yield self._click(
                self.env._("Sign In"),
                "action_sign_in",
                context={"email_alias_provider": alias.provider},
            )
        if alias.hold_reason != "owner":
            yield self._test()
        yield self._click(self.env._("Resume"), "action_resume")
        if alias.hold_reason not in TO_EDIT:
            yield self._open_alias()

    def _offer_paused(self, reason):
        if self.is_own:
            yield self._click(self.env._("Resume"), "action_unpause")

    def _offer_limit(self, reason):
        if self.may_read:
            yield self._open_alias()

    def _offer_backoff(self, reason):
        if self.is_own:
            yield self._test()
        if self.may_read:
            yield self._open_alias()

    _offer_quota = _offer_backoff

    def _offer_pause(self, reason):
        if self.may_read:
            yield self._open_alias()

    def _offer_lanes(self, reason):
        if self.reader.is_system:
            yield self._open_parameters("user_email_alias.lanes")

    def _offer_mailing_paused(self, reason):
        if self.is_own:
            yield self._click(
                self.env._("Resume Mailing"),
                "action_email_alias_resume",
                model="mailing.mailing",
                record_id=reason.mail.mailing_id,
            )

    def _offer_rights(self, reason):
        if self.is_own:
            yield self._click_mail(
                self.env._("Cancel the Email"), "action_cancel", reason
            )

    def _offer_scheduled(self, reason):
        if self.is_own:
            yield self._click_mail(self.env._("Send Now"), "action_retry", reason)

    _offer_deferred = _offer_next_run = _offer_scheduled

    def _offer_cancelled(self, reason):
        if self.is_own:
            yield self._click_mail(self.env._("Send Again"), "action_retry", reason)

    def _offer_failed(self, reason):
        if self.is_own and reason.mail.failure_type == "email_alias_uncertain":
            yield self._click(self.env._("Decide"), "action_view_uncertain")
        else:
            yield from self._offer_cancelled(reason)

    def _test(self):
        return self._click(self.env._("Test Connection"), "action_test_connection")

    def _open_alias(self):
        return self._open(
            self.env._("Open Email Alias"), "user.email.alias", self.alias.id
        )

    def _click_mail(self, label, method, reason):
        return self._click(
            label,
            method,
            model="user.email.alias.waiting",
            record_id=reason.mail.id,
        )

    def _click(self, label, method, model="user.email.alias", record_id=None, **more):
        return {
            "label": label,
            "model": model,
            "id": record_id or self.alias.id,
            "method": method,
            **more,
        }

    def _open(self, label, model, record_id):
        return {
            "label": label,
            "action": {
                "type": "ir.actions.act_window",
                "res_model": model,
                "res_id": record_id,
                "views": [[False, "form"]],
            },
        }

    def _open_parameters(self, key):
        return {
            "label": self.env._("Open System Parameters"),
            "action": {
                "type": "ir.actions.act_window",
                "name": self.env._("System Parameters"),
                "res_model": "ir.config_parameter",
                "views": [[False, "list"], [False, "form"]],
                "context": {"search_default_key": key},
            },
        }
