import dataclasses
import logging

import odoo.tools
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..decorators import of_records
from ..hooks import drop_waiting
from ..tools import home

_logger = logging.getLogger(__name__)

HOME = "user_email_alias.home"


class UserEmailAliasHome(models.AbstractModel):
    """In a copy of the database nothing leaves until an administrator has decided.

    What waited when the copy was made waits twice. What is written in a copy where
    nothing waits leaves as ever.
    """

    _name = "user.email.alias.home"
    _description = "Email Alias: Home of the Queue"

    is_in_copy = fields.Boolean(compute="_compute_is_in_copy")
    can_decide_on_copy = fields.Boolean(compute="_compute_is_in_copy")

    def _compute_is_in_copy(self):
        is_copy = self._is_copy()
        self.is_in_copy = is_copy
        self.can_decide_on_copy = is_copy and self.env.is_system()

    @api.model
    def _is_copy(self):
        """Whether this database is a copy, and nobody has decided yet."""
        cache = self.env.cr.cache
        if HOME not in cache:
            known, here = self._read_homes()
            is_same = not known or known.is_same(here, self._has_token(known))
            cache[HOME] = not is_same
        return cache[HOME]

    @api.model
    def _settle_in(self):
        """Be at home here, unless something that waits may be waiting elsewhere too."""
        known, here = self._read_homes()
        if known and known.is_same(here, self._has_token(known)):
            if not known.knows(here):
                self._write_home(known.merged(here))
        elif not known or not self._has_waiting():
            self._write_home(self._with_token(here))

    @api.model
    def _with_token(self, here):
        token = home.write_token(odoo.tools.config["data_dir"])
        return dataclasses.replace(here, token=token)

    @api.model
    def _write_home(self, here):
        value = here.to_json()
        # in SQL: two that come first at the same time must not collide, but begin anew
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO ir_config_parameter
                       (key, value, create_uid, create_date, write_uid, write_date)
                SELECT %s, %s, 1, utc, 1, utc FROM timezone('UTC', now()) utc
                    ON CONFLICT (key) DO UPDATE SET value = excluded.value
                """,
                HOME,
                value,
            )
        )
        self.env.cr.cache.pop(HOME, None)
        self.env["ir.config_parameter"].invalidate_model(["value"])
        self.env.registry.clear_cache()

    @api.model
    def _read_homes(self):
        """Return where the queue was at home last, None at first, and where it is now.

        In SQL because only PostgreSQL knows, and past the cache of parameters.
        """
        cr = self.env.cr
        cr.execute(
            SQL(
                """
                SELECT (SELECT value FROM ir_config_parameter WHERE key = %s),
                       (SELECT value FROM ir_config_parameter
                         WHERE key = 'database.uuid'),
                       (SELECT oid::text FROM pg_database
                         WHERE datname = current_database()),
                       'ir_config_parameter'::regclass::oid::text,
                       current_setting('server_version_num')::int / 10000,
                       current_setting('port'),
                       inet_server_addr()::text,
                       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                            THEN current_setting('data_directory') END,
                       pg_is_in_recovery(),
                       has_function_privilege('pg_control_system()', 'EXECUTE')
                """,
                HOME,
            )
        )
        known, uuid, database, table, version, *place, is_standby, may_read = (
            cr.fetchone()
        )
        system = None
        if may_read:
            cr.execute("SELECT system_identifier::text FROM pg_control_system()")
            [system] = cr.fetchone()
        here = home.Home(uuid or "", database, table, system, version)
        if not is_standby:
            # whoever only reads may ask a standby, which is elsewhere
            here = here.at(*place, cr.connection.info.host)
        return home.Home.from_json(known), here

    @api.model
    def _has_token(self, known):
        data_dir = odoo.tools.config["data_dir"]
        return lambda: home.has_token(data_dir, known.token)

    @api.model
    def _has_waiting(self):
        # sudo: whether anybody's mail waits
        env = self.sudo().env
        return any(
            env[model].search_count(domain, limit=1)
            for model, domain in (
                (
                    "mail.mail",
                    [("email_alias_id", "!=", False), ("state", "=", "outgoing")],
                ),
                (
                    "mailing.mailing",
                    [
                        ("email_alias_id", "!=", False),
                        ("state", "in", ("in_queue", "sending")),
                    ],
                ),
                (
                    "mail.scheduled.message",
                    [("notification_parameters", "like", "email_alias_key")],
                ),
            )
        )

    # ------------------------------------------------------------------
    # Shown and decided
    # ------------------------------------------------------------------

    @api.model
    def _get_copy_message(self):
        return self.env._(
            "This database is a copy. What waits here may have been sent by the "
            "original, so nothing leaves until an administrator has decided."
        )

    def _check_copy(self):
        if not self.env.is_system():
            raise AccessError(
                self.env._("Only an administrator (Settings) decides on this.")
            )
        if not self._is_copy():
            raise UserError(self.env._("This has been decided already."))

    @of_records
    def action_copy_send(self):
        """This is the database that sends: let go what waits."""
        return self._decide("sent")

    @of_records
    def action_copy_drop(self):
        """The original sends: what waits here never leaves."""
        return self._decide("dropped")

    def _get_decided(self):
        """Return the home that somebody has decided on.

        A cluster that several servers reach by several ways is one home.
        """
        known, here = self._read_homes()
        home_now = self._with_token(here)
        others = dataclasses.replace(here, hosts=known.hosts) if known else here
        if known and known.is_same(others, lambda: False):
            return dataclasses.replace(known.merged(here), token=home_now.token)
        return home_now

    def _decide(self, fate):
        self._check_copy()
        _logger.info(
            "Copied database: what waits is %s, says user %s", fate, self.env.uid
        )
        # sudo: an administrator decides for all users
        env = self.sudo().env
        if fate == "dropped":
            drop_waiting(env)
        self._write_home(self._get_decided())
        env["user.email.alias"].search([("state", "!=", "hold")])._wake()
        return {"type": "ir.actions.client", "tag": "soft_reload"}
