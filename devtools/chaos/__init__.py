# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""Faults on purpose: one module for each kind, found by its place in this folder.

A function marked with `@fault("name", rounds)` gets a `Stage`, breaks something,
and hands what came of it to the ledger, which knows the invariants.
"""
