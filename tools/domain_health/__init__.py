"""What the DNS says of a From domain, in advice for whoever sends with it.

Nothing here forbids anything: receivers judge, and they may know more.
"""

from .examine import Advice, examine
from .mailers import MAILERS, Mailer

__all__ = ("MAILERS", "Advice", "Mailer", "examine")
