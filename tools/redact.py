"""Keep passwords out of the one log of Odoo's that shows what a client sent.

At DEBUG level ``odoo.service.model`` writes the parameters of every call of a client,
a password that somebody has just typed into a form among them.
"""

import logging

RPC_LOGGER = "odoo.service.model"


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
