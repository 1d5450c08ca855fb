"""What is wrong with what a user typed, one sentence for each reason."""

REASONS = {
    "server_empty": "Enter the mail server, for example mail.example.com:465.",
    "server_length": "The mail server is too long: enter only name and port,"
    " for example mail.example.com:465.",
    "server_control": "The mail server contains an invisible character:"
    " type it again by hand.",
    "server_space": "The mail server must not contain spaces:"
    " enter it like mail.example.com:465.",
    "server_scheme": "Enter the mail server without a prefix like smtp:// or"
    " https://, for example mail.example.com:465.",
    "server_path": "Enter only the name of the mail server and the port,"
    " without anything behind them, for example mail.example.com:465.",
    "server_user": "Enter the mail server without a user name or @:"
    " the user name has its own field.",
    "server_brackets": "Put an IPv6 address in square brackets,"
    " for example [2001:db8::1]:465.",
    "server_port": "The port must be a number from 1 to 65535,"
    " for example mail.example.com:465.",
    "server_host": "This is not a valid name of a mail server:"
    " enter it like mail.example.com:465.",
    "mailbox_empty": "Enter an email address, for example name@example.com.",
    "mailbox_length": "The email address is too long:"
    " at most 64 characters before the @ and 320 in all.",
    "mailbox_control": "The email address contains a line break or an invisible"
    " character: type it again by hand.",
    "mailbox_several": "Enter exactly one email address.",
    "mailbox_at": "There is no @ in it: enter the whole email address,"
    " like name@example.com.",
    "mailbox_syntax": "Enter only the email address, like name@example.com,"
    " without name, quotes, brackets or spaces.",
    "mailbox_domain": "The part behind the @ is not a valid domain:"
    " enter the address like name@example.com.",
    "text_control": "The text contains a line break or an invisible character:"
    " type it again by hand.",
    "text_encoded": "Enter the name as people should read it,"
    " not in coded form (=?...?=).",
    "text_length": "The name is too long: at most 200 characters.",
}


class AddressError(ValueError):
    """What is wrong with a typed address, in one sentence that says what to change.

    ``reason`` is a key of `REASONS`, for callers that translate the sentence.
    """

    def __init__(self, reason: str):
        super().__init__(REASONS[reason])
        self.reason = reason
