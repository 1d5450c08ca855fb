from . import test_oauth_providers
from . import test_oauth_secrecy
from . import test_oauth_tokens
from . import test_queue
