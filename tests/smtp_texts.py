"""Texts that real servers were seen to say, by what they mean."""

# The account is meant, wherever it is said: reply, reason, hold?
ACCOUNT = """
rate 554 5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded. Try again later.
rate 550 Connection frequency limited
rate 550 send spam mail rejected: exceeded hour limit
rate 550 5.7.1 Too many messages sent in the last hour
rate 550 Domain example.com has exceeded the max defers and failures per hour (5/5 (100%)) allowed.
rate 421 4.4.2 Message submission rate for this client has exceeded the configured limit
rate 450 4.7.1 Error: too much mail from 203.0.113.9
rate 550 Quota exceeded for outgoing mail
quota 554 You have reached your limit of 500 messages per day
session 452 4.4.5 Maximum number of messages per session exceeded.
session 452 4.5.3 Too many recipients: Too many messages sent
session 421 4.7.0 Error: too many errors
from_refused! 553 Relaying disallowed as anna@example.com
from_refused! 550 Verification failed for <anna@example.com> No Such User Here Sender verify failed
unverified! 554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: anna@example.com
suspended! 550 Outgoing mail from "anna@example.com" has been suspended.
client_blocked! 554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org
client_blocked! 550 5.7.1 Your IP 203.0.113.9 is blacklisted
relay_refused! 554 5.7.1 <lead3@firm.example>: Relay access denied
relay_refused! 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
login_missing! 550 Please turn on SMTP Authentication in your mail client
ehlo_name! 450 4.7.1 <odoo>: Helo command rejected: Host not found
ehlo_name! 504 5.5.2 <192.168.1.10>: Helo command rejected: need fully-qualified hostname
rate 550 5.7.1 Your mail limit has been reached.
rate 550 Number recipients per hour exceeded
rate 450 only 5 recipients per 5 minutes allowed
rate 451 4.5.3 Too many recipients in the last hour
rate 450 4.7.1 <lead3@firm.example>: Recipient address rejected: Policy Rejection- Quota Exceeded
rate 550 5.7.1 <anna@example.com>: Sender address rejected: Number messages per hour exceeded
quota 451 Authentication failed: Maximum credits exceeded
login_missing! 550 5.7.1 SMTP AUTH is required before sending
login_missing! 553 5.7.1 <anna@example.com>: Sender address rejected: not logged in
client_blocked! 550 that IP address is not allowed to send
client_blocked! 550 5.7.1 [203.0.113.9] The IP you're using to send mail is not authorized to send email directly to our servers.
suspended! 554 5.7.0 Message rejected: Sending paused for this account. For more information, please check the inbox
suspended! 550 5.7.502 Access denied, banned sender
suspended! 554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction verdict is not None. Actual verdict is Suspend
unverified! 550 5.7.1 Unconfigured Sending Domain <example.com>
unverified! 550 The 'From' address you supplied (ada@example.com) is not a Sender Signature on your account.
from_later 440 mail from account doesn't conform with authentication
quota 550 Too many recipients per day for this account
quota 550 Limite d'envoi quotidienne atteinte
quota 554 El mensaje ha sido rechazado por exceder el límite diario
rate 550 Ihre Versandgrenze ist erreicht
rate 554 Kontingent für ausgehende E-Mails überschritten
rate 550 Limite de envio por hora excedido
rate 550 Превышен лимит отправки писем
rate 550 送信数の上限に達しました
from_later 421 Domain x.mailgun.org is not allowed to send: Please activate your Mailgun account
""".strip().splitlines()  # noqa: E501

# About a recipient, however often it is said.
GONE = """
550 5.1.1 xyzzy
550 5.2.1 xyzzy
550 no such user
550 Unknown user
550 Requested action not taken: mailbox unavailable
550 5.4.1 Recipient address rejected: Access denied. [AM0]
550 5.7.1 user unknown
550 Unrouteable address
550 unknown local part lead3
554 delivery error: dd This user doesn't have a yahoo.com account
550 This account does not exist
552 Mailbox full
550 The user you write to is over quota
550 Empfänger unbekannt
550 Adresse existiert nicht
550 Destinataire inconnu
550 El usuario no existe
550 Usuário não encontrado
550 Utente sconosciuto
550 Gebruiker onbekend
550 Nieznany użytkownik
550 Нет такого пользователя
550 用户不存在
550 Kullanıcı bulunamadı
""".strip().splitlines()

# Nobody knows: the breaker counts them.
UNKNOWN = """
550 <lead3@firm.example>... xyzzy
554 delivery to <lead3@firm.example> needs a paid plan
550 <lead3@firm.example> External recipients are not enabled
550 Ihr Konto ist gesperrt
550 5.7.1 Command rejected
550 Administrative prohibition
554 5.7.1 <lead3@firm.example>: Recipient address rejected: Access denied
550 Requested action not taken: mailbox unavailable Reject due to policy restrictions
550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy
550 rejected as spam
550 5.1.0 cNkj1y0022zrrQM01NkjaD policy violation, see https://support.example/kb/a4081
550 5.1.0 <anna@example.com> sender rejected
550 5.2.0 Naruszenie zasad
550 Request failed; Mailbox unavailable
554 5.7.9 Message not accepted for policy reasons. See https://postmaster.example/error-codes
""".strip().splitlines()


# One recipient's trouble, told at RCPT, in words that elsewhere mean the account.
THEIRS = """
deferred 450 lead3 receives too many messages
deferred 450 <lead3@firm.example> is receiving mail at a rate we do not accept
deferred 550 User has exceeded daily receiving limit
deferred 552 user has exceeded his message quota
deferred 452 Too many messages for this recipient
deferred 450 Recipient has exceeded the hourly limit of messages
deferred 421 4.7.1 Messages to lead3@firm.example deferred due to excessive volume.
deferred 452 4.5.3 Recipient limit per session exceeded
deferred 550 You exceed the maximum of recipients (100) allowed per message
refused 550 The address <lead3@firm.example> is not verified
refused 550 Account not activated
refused 550 This mailbox has not been confirmed yet
refused 550 User lead3 is inactive
""".strip().splitlines()

# An account is out of use, in words that a recipient's is refused with.
OUT_OF_USE = """
550 Account locked
550 5.7.1 Recipient is disabled
550 Ce compte n'est plus actif
550 Cuenta deshabilitada
550 Conta desativada
550 La casella è stata disattivata
550 Konto gesperrt
550 Dit account is geblokkeerd
550 Konto zostało zablokowane
550 Ящик заблокирован
550 user is locked
550 该用户已停用
""".strip().splitlines()

# More that is the recipient's for certain.
GONE += """
550 all relevant MX records point to non-existent hosts
550 retry timeout exceeded
550 Recipient has blocked the sender
550 Mail is rejected by recipients
550 Mailbox not found. http://service.exmail.qq.com/cgi-bin/help?no=1000728
550 5.1.1 The email account that you tried to reach does not exist.
550 5.2.1 The email account that you tried to reach is inactive.
552 5.2.2 The email account that you tried to reach is over quota
554 5.7.1 <lead3@firm.example>: Recipient address rejected: User unknown in table
554 delivery error: dd This user doesn't have a yahoo.com account (lead3@firm.example)
550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net
550 Benutzer nicht bekannt/User unknown
550 5.1.1 user unknown (UCE)
550 5.1.0 Address rejected lead3@firm.example
550 5.1.0 lead3@firm.example... User unknown
550 5.2.0 Mailbox not found
""".strip().splitlines()

# Limits and blocks of senders, as providers word them: phase, reason, reply.
PROVIDERS = """
rcpt rate 550 Requested action not taken: mailbox unavailable Failure sending mail. Try again later
rcpt rate 450 4.3.2 Please wait to send more emails, or contact support for a rate limit increase.
dot quota 554 User anna@example.com has exceeded its 24-hour sending limit. Messages to 25 recipients out of 25 allowed
data quota 550 5.7.1 <DATA>: Data command rejected: only 10 messages per day
dot rate 550 Sender frequency limited. http://service.exmail.qq.com/cgi-bin/help?no=1000723
rcpt rate 550 Domain frequency limited
rcpt rate 550 Ip frequency limited
mail rate 421 HL:IFC 163 smtp8,DMCowA
rcpt session 451 MI:DMC 163 smtp4,DtGowEBp
rcpt session 450 RP:CCL 163 smtp1
mail quota 554 MI:STC 163 smtp10
dot quota 550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to
dot quota 554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException
rcpt quota 550 5.7.233 Tenant exceeded external recipient rate
dot rate 451 4.7.650 The mail server has been temporarily rate limited due to IP reputation
rcpt client_blocked 550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Part of their network is on our block list (S3140).
connect client_blocked 554-gmx.net Nemesis ESMTP Service not available IP address is block listed
rcpt client_later 450 4.7.1 Client host rejected: cannot find your hostname, [203.0.113.9]
rcpt client_later 450 4.7.25 Client host rejected: cannot find your reverse hostname
rcpt relay_later 454 4.7.1 <lead3@firm.example>: Relay access denied
rcpt from_later 450 4.1.8 <anna@example.com>: Sender address rejected: Domain not found
mail from_later 451 4.1.8 Domain of sender address anna@example.com does not resolve
mail from_refused 550 The from address does not match a verified Sender Identity
rcpt from_refused 553 5.7.1 Sender is not allowed to relay emails
dot unverified 554 5.7.1 Your sender address is not verified
mail suspended 550 5.7.1 Your account has been suspended due to abuse
dot rate 550 5.7.1 Hourly sending quota exceeded for user anna
dot quota 552 5.7.0 Number of 'daily' messages exceeded the limit
mail rate 451 4.7.1 Too many mails sent with this account, slow down
""".strip().splitlines()  # noqa: E501

# What is a limit of logins, whatever code it comes with.
LOGIN_LIMITS = """
454 4.7.0 Too many login attempts, please try again later.
421 4.7.0 Too many logins
535 5.7.8 Error: authentication failed: too many login attempts
535 Authentication rate limit exceeded
535 5.7.0 Temporary authentication failure, try again later
535 Login temporarily blocked, try again in 10 minutes
550 Please wait, login frequency limited
451 Requested mail action not taken: too much fail authentication
432 4.3.2 Concurrent connections limit exceeded
525 5.7.13 Too many sessions of this user
""".strip().splitlines()

# A wrong password, whatever else is offered as a reason.
WRONG_LOGINS = """
535 5.7.8 Username and Password not accepted. For more information, go to
534 5.7.14 Please log in via your web browser and then try again.
535 Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.
535 5.7.0 Invalid login or password
535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.
535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6
432 4.7.12 A password transition is needed
""".strip().splitlines()  # noqa: E501
