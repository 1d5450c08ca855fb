"""Keep secrets out of the two logs that show what a client sent.

At DEBUG level ``odoo.service.model`` writes the parameters of every call of a client,
a password that somebody has just typed into a form among them. The access log writes
the address of every request, and an identity provider sends its code in an address.
"""

import logging
import re

RPC_LOGGER = "odoo.service.model"
ACCESS_LOGGER = "werkzeug"


class ParametersFilter(logging.Filter):
    """Withhold the parameters of a call that names one of the fields.

    :param fnames: names of fields whose values are secret
    """

    def __init__(self, fnames):
        super().__init__()
        self._fnames = frozenset(fnames)

    def filter(self, record):
        text = record.getMessage()
        if any(fname in text for fname in self._fnames):
            record.msg, record.args = f"{text.partition('(')[0]}(withheld)", ()
        return True


def withhold_parameters(fnames):
    """Let no log show the parameters of a call that names one of the fields."""
    logging.getLogger(RPC_LOGGER).addFilter(ParametersFilter(fnames))


class QueryFilter(logging.Filter):
    """Withhold the query of requests below an address.

    :param start: how the path starts, for example ``/sign_in/``
    """

    def __init__(self, start):
        super().__init__()
        self._start = start
        self._query = re.compile(rf"({re.escape(start)}[^\s?]*)\?[^\s\"']*")

    def filter(self, record):
        text = record.getMessage()
        if self._start in text:
            record.msg, record.args = self._query.sub(r"\1?(withheld)", text), ()
        return True


def withhold_query(start):
    """Let the access log show no query of a request below ``start``."""
    logging.getLogger(ACCESS_LOGGER).addFilter(QueryFilter(start))
