from . import slide_channel_invite
