"""Requests and browsers on a busy machine."""

from odoo.tests import HttpCase


class PatientHttpCase(HttpCase):
    """What core gives up after 12, 20 and 60 seconds may take its time.

    The test's cursor serves one request after the other. While one of them puts a part
    of the web client together, the others must not give up: they would be answered with
    a page of HTML, where a browser expects JSON.
    """

    test_cursor_lock_timeout = 120

    def url_open(self, url, data=None, files=None, timeout=60, **kwargs):
        """Extend: wait for an answer."""
        return super().url_open(url, data, files, timeout, **kwargs)

    def start_tour(self, url_path, tour_name, step_delay=None, **kwargs):
        """Extend: let a tour walk."""
        kwargs.setdefault("timeout", 240)
        return super().start_tour(url_path, tour_name, step_delay, **kwargs)
