# Part of user_email_alias. See LICENSE file for full copyright and licensing details.
"""The benchmarks: one module for each concept, found by its place in this folder.

A module's function marked with `@figures("name", ...)` is called with a `Context`
and yields a `Figure` for each of these names.
"""
