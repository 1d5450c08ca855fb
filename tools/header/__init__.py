"""Write the headers of a message so that they say what was meant.

The folding of Python's own email package differs from release to release and changes
values; nothing here depends on it.
"""
