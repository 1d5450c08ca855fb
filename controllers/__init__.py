from . import oauth, thread
