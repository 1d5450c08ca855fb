# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The bytes that a mailbox may send stay, the time they are counted in is shorter."""

from odoo.addons.user_email_alias.tools.transport.graph import GraphTransport

HASTE = 5
"""How many times faster Microsoft's window passes; `bytes.window` knows it as well."""

_most, _seconds = GraphTransport.window
GraphTransport.window = (_most, _seconds / HASTE)
