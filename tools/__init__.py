from . import address
from . import guard
from . import message
from . import pacing
from . import smtp
from . import vault
from . import verdict
