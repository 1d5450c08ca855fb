import functools
import re

from odoo import api, models
from odoo.exceptions import ValidationError

from ..tools import address

TEXTS = {
    "name": address.check_display_name,
    "alias_name": address.check_display_name,
    "email_from": address.parse_mailbox,
    "reply_to": address.parse_mailbox,
    "smtp_server": address.parse_server,
    "smtp_user": address.check_display_name,
    "imap_server": functools.partial(address.parse_server, default_port=993),
    "imap_user": address.check_display_name,
    "organisation_mailbox": address.parse_mailbox,
}

# What is put right before it is judged: what comes along when people copy it.
TIDY = {
    "email_from": address.tidy_mailbox,
    "reply_to": address.tidy_mailbox,
    "organisation_mailbox": address.tidy_mailbox,
    "smtp_server": address.tidy_server,
    "imap_server": address.tidy_server,
}

# An hour between two emails is slower than any provider asks for; more is a typo.
DELAY_MAX_MS = 3_600_000

# No provider lets one mailbox send more emails in a day.
DAILY_LIMIT_MAX = 1_000_000_000

PASSWORDS = ("smtp_password", "imap_password")
PASSWORD_MAX = 1_000  # bytes; more than any mail server takes
SIGNATURE_MAX = 100_000  # characters of HTML: it goes out with every email


class UserEmailAliasValidation(models.AbstractModel):
    """What may be typed into an alias, else a sentence that says what to change.

    Values are checked before the database sees them: what it refuses, it refuses in
    words of its own.
    """

    _name = "user.email.alias.validation"
    _description = "Email Alias: Validation"

    @api.model
    def _clean_vals(self, vals):
        """Trim what people paste; an empty text is no text."""
        vals = dict(vals)
        self._check_types(vals)
        for fname in TEXTS.keys() & vals.keys():
            # whoever may not write it hears nothing of what is wrong with it
            self._check_field_access(self._fields[fname], "write")
            if isinstance(vals.get(fname), str):
                text = vals[fname].strip()
                if fname in TIDY:
                    text = TIDY[fname](text)
                vals[fname] = text or False
        self._check_signature_size(vals)
        return self._clean_signature(vals)

    @api.model
    def _check_types(self, vals):
        """Refuse what is of another kind than its field: clients may send anything."""
        for fname in vals.keys() - self._get_server_fields():
            field, value = self._fields.get(fname), vals[fname]
            if not field:
                continue
            # numbers have a range and so a sentence of their own
            if field.type in ("char", "text", "html", "selection"):
                if not _is_text(value):
                    self._raise_invalid(fname, self.env._("Enter a text."))
                if fname not in TEXTS and not _is_storable(value, fname in PASSWORDS):
                    self._raise_invalid(
                        fname,
                        self.env._("It has characters that cannot be stored or sent."),
                    )
            elif field.type == "boolean" and not _is_flag(value):
                self._raise_invalid(fname, self.env._("Say yes or no."))
            elif field.type == "many2one" and not _is_id(value):
                self._raise_invalid(fname, self.env._("Choose one from the list."))

    @api.model
    def _check_signature_size(self, vals):
        if len(str(vals.get("signature") or "")) > SIGNATURE_MAX:
            self._raise_invalid(
                "signature",
                self.env._("It is too long: leave pictures out or link to them."),
            )

    @api.model
    def _raise_invalid(self, fname, sentence):
        """Name the field by its label, then say what to change.

        The form marks the field that the error names.
        """
        label = self.fields_get([fname], ["string"])[fname]["string"]
        error = ValidationError(
            self.env._("%(label)s: %(error)s", label=label, error=sentence)
        )
        error.context = {"email_alias_field": fname}
        raise error from None

    @api.model
    def _check_vals(self, vals):
        """Refuse texts and numbers that are not what their field is for.

        :raise ValidationError: with the field's label and one sentence
        """
        for fname, check in TEXTS.items():
            if isinstance(vals.get(fname), str):
                try:
                    check(vals[fname])
                except address.AddressError as error:
                    self._raise_invalid(fname, str(error))
        if not _is_number(vals.get("delay_ms"), DELAY_MAX_MS):
            self._raise_invalid(
                "delay_ms",
                self.env._("Enter a number from 0 to 3,600,000 (one hour)."),
            )
        if not _is_number(vals.get("daily_limit"), DAILY_LIMIT_MAX):
            self._raise_invalid(
                "daily_limit",
                self.env._("Enter a number of emails, 0 for no limit."),
            )
        for fname in PASSWORDS:
            password = str(vals.get(fname) or "").encode("utf-8", "surrogatepass")
            if len(password) > PASSWORD_MAX:
                self._raise_invalid(
                    fname, self.env._("A password has at most 1,000 characters.")
                )
            # a file that is imported is kept for a while, and shown in a preview
            if password and "_import_current_module" in self.env.context:
                self._raise_invalid(
                    fname,
                    self.env._("Passwords cannot be imported: enter it in the form."),
                )

    @api.constrains(*TEXTS)
    def _check_texts(self):
        """Catch what came as a default and not as a value."""
        for alias in self:
            # sudo: some fields are for administrators
            alias._check_vals({fname: alias.sudo()[fname] for fname in TEXTS})

    @api.constrains("name", "email_from", "smtp_server")
    def _check_description(self):
        for alias in self:
            if not alias.name and (alias.email_from or alias.smtp_server):
                self._raise_invalid(
                    "name",
                    self.env._("Give the alias a name by which you recognise it."),
                )

    def _check_name_free(self, name, owner_id):
        """Compare as people do: the database's lower() knows fewer letters.

        :raise ValidationError: another alias of the owner has this Description
        """
        # sudo: whoever may write an alias learns no more than that a name is taken
        others = self.sudo().with_context(active_test=False)
        twin = others.search(
            [("user_id", "=", owner_id), ("id", "not in", self.ids)]
        ).filtered(lambda a: a.name and a.name.casefold() == name.casefold())[:1]
        if twin.active:
            self._raise_invalid(
                "name", self.env._("You already have an alias called “%s”.", twin.name)
            )
        elif twin:
            self._raise_invalid(
                "name",
                self.env._("An archived alias is called “%s” already.", twin.name),
            )

    @api.constrains("is_default", "active")
    def _check_default_active(self):
        if any(alias.is_default and not alias.active for alias in self):
            self._raise_invalid(
                "is_default",
                self.env._("An archived alias cannot be the default: unarchive it."),
            )

    def _get_copy_name(self):
        siblings = self.with_context(active_test=False).search(
            [("user_id", "=", self.user_id.id)]
        )
        taken = {(alias.name or "").casefold() for alias in siblings}
        start = self.name[: address.MAX_NAME_LENGTH - 20]
        name, number = self.env._("%s (copy)", start), 2
        while name.casefold() in taken:
            name = self.env._("%(name)s (copy %(number)s)", name=start, number=number)
            number += 1
        return name


def _is_text(value):
    return isinstance(value, str) or value is None or value is False


def _is_storable(value, is_secret):
    """Whether PostgreSQL takes the text; a secret is encrypted before."""
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return is_secret or "\0" not in (value or "")


def _is_flag(value):
    return value is None or isinstance(value, bool) or value in (0, 1)


def _is_id(value):
    if value is None or value is False:
        return True
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and 0 < value < 2**31


def _is_number(value, maximum):
    """Whether a value from outside is a whole number from 0 to a maximum, or none."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,12}\s*", value):
        value = int(value)
    if not value and not isinstance(value, (list, dict, tuple)):
        return True
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= maximum
