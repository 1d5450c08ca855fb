from . import address
from . import guard
from . import pacing
from . import vault
