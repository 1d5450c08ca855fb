"""Dialogues pressed in a real browser, whose mail a lane then hands to a real server.

Core's ``HttpCase`` keeps all that its browser does in the test's own transaction, where
no lane sees it. Here it is committed.
"""

import json
import logging
from urllib.parse import urljoin

import odoo
from odoo.http import get_default_session, root
from odoo.service import security
from odoo.tests.common import HOST, ChromeBrowser, get_db_name

from .common_dialogue import DialogueCase

SUCCESS = "tour succeeded"


class BrowserCase(DialogueCase):
    """Ada sits at her own browser, signed in."""

    # what ChromeBrowser asks of its test
    browser_size = "1366,768"
    touch_enabled = False
    _logger = logging.getLogger(__name__)

    def fetch_proxy(self, url):
        """Answer for every host but ours: there is nothing."""
        return {"responseCode": 404}

    def start_tour(self, path, tour, seconds=240):
        """Let the browser walk a tour; what it presses is committed."""
        browser = ChromeBrowser(self, success_signal=SUCCESS)
        try:
            browser.set_cookie("session_id", self._sign_in(), "/", HOST)
            home = f"http://{HOST}:{odoo.tools.config['http_port']}"
            browser.navigate_to(urljoin(home, path), wait_stop=False)
            ready = f"odoo.isTourReady({json.dumps(tour)})"
            self.assertTrue(browser._wait_ready(ready), f"no tour {tour}")
            options = json.dumps({"stepDelay": 0, "startUrl": path})
            start = f"odoo.startTour({json.dumps(tour)}, {options})"
            browser._wait_code_ok(start, seconds)
        finally:
            browser.stop()

    def _sign_in(self, uid=None):
        """Have a session of Ada's, or of somebody else's; return its id."""
        session = root.session_store.new()
        with self.committed(uid or self.user_id) as env:
            session.update(get_default_session(), db=get_db_name(), _trace_disable=True)
            session.uid = env.uid
            session.login = env.user.login
            session.session_token = security.compute_session_token(session, env)
            session.context = dict(env["res.users"].context_get())
        root.session_store.save(session)
        self.addCleanup(root.session_store.delete, session)
        return session.sid
