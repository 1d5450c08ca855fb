from . import address, guard, message, pacing, smtp, vault, verdict
