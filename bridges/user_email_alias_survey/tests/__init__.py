from . import test_dialogues, test_tours
