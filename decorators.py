"""What a method says of itself."""

import functools

from odoo.exceptions import AccessError


def of_records(method):
    """Refuse a public method to whoever names a part of a model by RPC.

    A part is an abstract model: what it is asked to do has no records, and no rights.
    """

    @functools.wraps(method)
    def checked(self, *args, **kwargs):
        if self._abstract:
            raise AccessError(self.env._("%s has no records.", self._name))
        return method(self, *args, **kwargs)

    return checked
