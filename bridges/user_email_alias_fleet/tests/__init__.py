from . import test_dialogues
