"""What mail servers write in their replies: patterns, read with case ignored.

No list is complete: `sending/breaker.py` decides what no pattern knows. A pattern must
not fit what is said of a recipient, for most refusals are about one.
"""

import re

SHORTEST_NAME = 4  # characters of a local part that is no word by chance


def _any(*patterns):
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _unless(exception, *patterns):
    return rf"^(?!.*(?:{exception})).*?(?:{_any(*patterns)})"


# What has room, and belongs to a recipient or is measured in bytes.
_ROOM = (
    r"mail.?box|mail.?dir|mail.?drop|inbox|storage|disk|over.?quota|quota.{0,20}full"
    r"|\bsize|too (big|large|long)|bytes|attach|line length"
)
_SENT = (
    r"(sen[dt]|sending|sender|outgoing|outbound|submission|messages?|e-?mails?|mails)"
)
_BOUND = r"(limit|quota|maximum|allowance|allotment|exceed\w*)"

# That the sender is meant, whoever else is named.
_OURS = (
    r"\byou(r|rs)?\b(?! (are |were )?(try|tried|wish|want|writ))|\bsen(d|ds|t|ding)\b"
    r"|\bsender|outgoing|outbound|submi(t|ssion)|\bclient\b|identit|authenticat"
    r"|log.?in\b|\bexternal\b|\bplan\b|relay"
)
_THEM = (
    r"(addressee|recipients?|users?|accounts?|mail.?box|customer|member|subscriber"
    r"|address)\b(?! (address )?rejected)"
)
_MUCH = r"(\blimit|\bquota\b|exceed|too (many|much)|\brate\b|too (fast|quick)|throttl)"


def name_addressee(text: str, recipient: str) -> str:
    """Return a reply to RCPT with a word in the place of whom it was given for.

    Not where a server names them before whatever it refuses, as Postfix does.
    """
    local = recipient.partition("@")[0]
    names = [rf"<?{re.escape(recipient)}>?"]
    if len(local) >= SHORTEST_NAME:
        names.append(rf"(?<![\w.+@-]){re.escape(local)}(?![\w+@-])")
    text = re.sub(rf"^{names[0]}: ", "", text, flags=re.IGNORECASE)
    return re.sub("|".join(names), "addressee", text, flags=re.IGNORECASE)


# Recipients that the sender has used up.
_COUNTED = (
    r"recipients?( limit| count)? ?(per|an?|each|in|/) ?(\d+ ?)?(second|minute|hour"
    r"|day|session|connection)"
)
# What a recipient takes, not how much is in the mailbox.
THEIR_LIMIT = _unless(
    rf"{_OURS}|{_ROOM}|\bfull\b|{_COUNTED}",
    rf"\b{_THEM}.{{0,80}}{_MUCH}",
    rf"\b(mails?|messages?) (to|for) {_THEM}.{{0,60}}(deferred|volume)",
    rf"(receiv|incoming|inbound).{{0,80}}{_MUCH}|{_MUCH}.{{0,60}}(receiv|incoming)",
    rf"{_MUCH}.{{0,40}} for (this|that|the) {_THEM}",
)
# What makes a recipient take nothing, though a sender can lack it as well.
THEIR_STATE = _unless(
    _OURS,
    rf"\b{_THEM}.{{0,60}}\b(not (been |yet )*|un|in)"
    r"(verified|validated|confirmed|activated?|active)\b",
)
BY_RECIPIENT = re.compile(
    r"\b(recipient|addressee|user)s? (\w+ )?(has|have|had) (\w+ )?"
    r"(block|reject|refus|declin|blacklist|opted)"
    r"|(reject|refus|block|declin)\w* by (\w+ ){0,2}(recipient|addressee)",
    re.IGNORECASE,
)

_SENT_ABROAD = (
    r"(versand|ausgehend|envoi|env[ií]o|invio|verzend|wysył|отправ|исходящ"
    r"|送信|发送|发信)"
)
_BOUND_ABROAD = (
    r"(limit|límite|grenze|kontingent|quota|cota|überschr|лимит|上限|超過|限制)"
)
_DAY_ABROAD = (
    r"(tages|täglich|quotidien|journali|diari|giornalier|суточн|每日|当日|本日)"
)

# A limit of the day.
DAILY = _any(
    rf"{_BOUND_ABROAD}.{{0,40}}{_DAY_ABROAD}|{_DAY_ABROAD}.{{0,20}}{_BOUND_ABROAD}",
    r"too many .{0,30}\b(per|a|each|this) day\b",
    r"(daily|per.day|a day|24.?h|each day|today).{0,40}(limit|quota|exceed)",
    r"(limit|quota|exceed).{0,40}(daily|per.day|a day|24.?h|each day|today)",
    r"SubmissionQuotaExceeded|RecipientLimitExceeded|message quota exceeded",
    r"\bday\W*s? (limit|quota)|\bcredits? exceeded",
    r"\d (messages|e?-?mails|recipients).{0,15}\b(per|a|each|in a) day\b",
    r"\bMI:STC\b|\bRP:TRC\b",  # NetEase
)

# A limit of the pace: it passes within the hour, and sooner with wider pauses.
RATE = _any(
    r"\brate.?limit|limit.{0,20}\brate\b|throttl|slow(ing)?.?(it.)?down",
    r"\brate\b.{0,60}(exceed|limit|too high|reached)|(exceed|reach)\w*.{0,40}\brate\b",
    r"too (fast|quick|frequent)|too many recipients.{0,30}(hour|minute)",
    r"frequen(cy|t\b).{0,40}(limit|exceed|high|restrict|block|control)"
    r"|(limit|exceed|restrict|high|control)\w*.{0,25}frequency",
    r"too (many|much) (\w+ ){0,2}(messages?|mails?|e-?mails?|connections?|login"
    r"|requests?"
    r"|deliver|submissions?|traffic)",
    rf"(hour|minute)(ly)?\b.{{0,40}}{_BOUND}|{_BOUND}.{{0,60}}\b(hour|minute)",
    r"(messages?|mails?|recipients?|rcpts?) ?(per|an?|each|in|/) ?(\d+ ?)?"
    r"(hour|minute|second)",
    r"\bmail limit\b|polic\w+.{0,20}\bquota\b",
    _unless(
        _ROOM,
        rf"\b{_SENT}\b.{{0,40}}\b{_BOUND}\b",
        rf"\b{_BOUND}\b.{{0,40}}\b{_SENT}\b",
    ),
    r"(sen[dt](ing)?|outgoing|outbound).{0,20}\b(limit|quota)\b",
    r"failure sending mail|wait (to|before) send|exceed\w*.{0,20}threshold",
    r"\bHL:(ICC|IFC|REP)\b|\bMI:SFQ\b",  # NetEase
    rf"{_SENT_ABROAD}.{{0,40}}{_BOUND_ABROAD}|{_BOUND_ABROAD}.{{0,40}}{_SENT_ABROAD}",
)

# Limits of all connections together, though they name one.
_PACE = r"\brate\b|frequen|(hour|minute|second|day|today)|throttl|slow|too (fast|quick)"
# A limit of one connection: a fresh one goes on.
SESSION = _unless(
    # of one mail's recipients fewer at once may pass
    _PACE + r"|(?<!invalid )(?<!unknown )(?<!bad )(?<!failed )(?<!wrong )recipient"
    r"(?!.*messages)|\b(users?|accounts?|you|sender|customer)\b"
    r"(?!.*(session|connection))",
    r"(session|connection|transaction)s?\b.{0,40}\b(limit|exceed|maximum|reached)",
    r"(limit|exceed|maximum|max\b|too (many|much)).{0,60}"
    r"\b(session|connection|transaction|channel)",
    r"(per|this|same|one|single|each) (smtp )?(session|connection|channel)\b",
    r"too (many|much) (\w+ )?(messages|mails|e-?mails|errors?|commands"
    r"|(invalid|unknown|bad|failed|wrong|nonexistent)\b)",
    r"too many recipients.{0,10}too many messages",
    r"\b(MI:(DMC|CEL|CCL)|RP:(DRC|CEL|CCL))\b",  # NetEase
)
# Of these the number of mails that went before says nothing.
ERRORS = (
    r"errors?\b|C[EC]L\b|commands|invalid|unknown|bad\b|failed|wrong|nonexistent"
    r"|concurrent|simultaneous|from your|from this (ip|host|address)|parallel"
)

SENDER = _any(
    r"send.?as(\b|denied)|not owned by",
    # Postfix says so whatever it refuses at this address
    rf"sender address rejected(?!.{{0,80}}({_MUCH}|\bper\b|not logged in))",
    r"not (allowed|authori[sz]ed|permitted) to (send|use|submit).{0,20}"
    r"(\bas\b|\bfrom\b|sender|this address)",
    r"does not have permissions to send",
    r"sender verif\w+ (failed|failure)|could not verify sender|sender (is )?unverified",
    r"relay(ing)? (is )?(disallowed|not allowed|denied) as\b",
    r"(sender|from|return.path)\W.{0,40}(not|does.?n.t|mis|must).{0,15}"
    r"(match|belong|same as|conform)",
    r"\bdomain \S+ is not (allowed|authori[sz]ed|permitted) to send",
    r"invalid sender|sender (is )?not (allowed|valid|accepted|authori[sz]ed|permitted)",
)
# The provider wants a proof of the address, its domain or the account.
UNVERIFIED = _unless(
    r"recipient address rejected|verification in progress",
    r"(address|identit|domain|sender|account|\bfrom\b).{0,60}"
    r"\bnot (been |yet )*(verified|validated|confirmed|activated)",
    r"not a sender signature|unconfigured sending domain",
    r"\b(unverified|unconfirmed) (address|sender|domain|identity|account|e-?mail)",
)
SUSPENDED = _any(
    r"(your|sender|sending|outgoing|outbound) (e-?mail )?(account|mail|domain|user|ip"
    r"|access|privileges?)?.{0,40}\b(suspend|disabled|deactivat|blocked|locked"
    r"|restricted|revoked)",
    r"(suspend|disabled|blocked|banned|restricted)\w* (you )?from sending",
    r"unusual sending|OutboundSpamException"
    r"|sending (has been |is )?(suspend|disabled|blocked|paused)",
)
RELAY = _any(
    r"relay(ing)?\b.{0,40}(denied|not (permitted|allowed|authori[sz]ed)|prohibited"
    r"|refused|disallowed|reject|forbidden|unauthori[sz]ed|restricted|disabled)",
    r"(not|n.t|refus\w*|unable|permi\w+|denied|allowed) (\w+ )?to relay|\bno relay",
    r"(not|n.t) relay\b|rcpthosts|open relay",
)
LOGIN = _unless(
    r"RESOLVER|group",
    r"\bauth(enticat\w+)? (is )?(required|needed|necessary)"
    r"|(require|need)s? (smtp )?auth",
    r"(need|must|have|please).{0,20}\b(authenticate|log ?in|turn on smtp auth)",
    r"sender address rejected: not logged in",
)
# What a server says for want of a login, though others say it as well.
ASKS_FOR_LOGIN = r"authenticat|log.?in\b|log.?on\b"
# What was typed is wrong: no limit, whatever else is offered as a reason.
WRONG_LOGIN = (
    r"(pass.?word|passwd|credentials?|user.?name)\b.{0,30}"
    r"(incorrect|wrong|invalid|not (been )?accepted|mismatch|bad\b|expired)"
    r"|(incorrect|wrong|invalid|bad) (\w+ ){0,2}(pass.?word|credentials?|user)"
)
# The login service takes no more for now.
LOGIN_LIMIT = _any(
    r"too (many|much) .{0,40}(log.?ins?|auth|attempt|connection|session|fail|error"
    r"|request)",
    _unless(
        WRONG_LOGIN,
        r"\blimit|\bquota\b|\brate\b|throttl|frequen|slow(ing)? down"
        r"|too (fast|quick)|temporar(y|il)|\bbusy\b|overload",
        r"(try|retry|attempt|come back|wait)( it| this| again)?( again)?"
        r"( a (bit|little|while|moment))? (later|after|in (\d|an?|some|few))\b",
        r"later.{0,20}try|please wait",
    ),
)
# The host or address that this server connects from.
CLIENT = _unless(
    r"\burl|\burI\b|link|content|message contains|body",
    r"client (host|ip|address)?.{0,80}(reject|block|denied|listed|refused|banned)",
    r"\bip\b.{0,60}\bnot (allowed|authori[sz]ed|permitted|accepted)|\bblack ip\b"
    r"|not (allowed|authori[sz]ed|permitted|accepted) (to (send|connect) )?from "
    r"(this|that|your) (ip|host|server|network)\b",
    r"\b(ip|host|server|network|address \[?[\da-f.:]+\]?)\b.{0,80}"
    r"(black.?list|block.?list|deny.?list|\blisted\b|banned|bad reputation"
    r"|poor reputation|\bis blocked|been blocked|blocked (using|by|due))",
    r"(blocked|listed|reject\w*) (using|by|in|at|on) .{0,40}"
    r"(rbl|dnsbl|spamhaus|spamcop|barracuda|sorbs|uceprotect|block.?list|black.?list)",
)
EHLO_NAME = (
    r"(?<![\w@.+-])(HELO|EHLO)\b.{0,60}(reject|invalid|denied|refus|bad\b|fully"
    r"|resolv|mismatch|not (a |an )?(valid|accept|allowed|found))"
    r"|(invalid|bad|bogus|forged|incorrect|syntactically).{0,30}"
    r"(?<![\w@.+-])(HELO|EHLO)(?![\w.+-]*@)"
)

# 5yz that says of itself that it passes.
LATER = _unless(
    r"try again with|address and try",
    r"(try|retry|attempt|send|come back)( it| this| the message)?( again)?"
    r"( a bit| a little)? (later|in (\d|an?\b|some|few)|tomorrow)",
    r"later.{0,20}try|temporar(y|ily)",
)
GREYLIST = r"gr[ae]y.?list"
# At MAIL FROM: the message, for its size is told there, or the sender's mailbox.
SIZE = _unless("too (many|much)", r"\bsize|\b(big|large|long)\b|bytes")
FULL = r"mail.?box|quota|storage|space|full\b|allocation"
# RFC 5321 4.2.2 knows 552 as "exceeded storage allocation" only.
TOO_BIG = r"^$|\bsize|\b(big|large|long)\b|bytes|storage|space|exceed|limit|maximum"
SPLIT = r"too many recipients(?!.{0,30}(hour|minute))"
PER_MESSAGE = r"recipients?\b.{0,40}\bper (message|e-?mail|mail)\b"
NOT_RATE = r"^(?!.*\b(hour|minute|second)s?\b)"
OWN_MAILBOX = r"STOREDRV.{0,80}: ?QuotaExceeded"

# Names of things that only a sender can have or lack.
ABOUT_SENDER = re.compile(
    r"\bsender\b|\bfrom\b.{0,20}\baddress|^request failed|polic(y|ies)|spam|reputation"
    r"|\bspf\b|\bdkim\b|\bdmarc\b|\bptr\b|reverse dns|dns (mx|a\b)",
    re.IGNORECASE,
)

_PERSON = (
    r"(users?|mail.?box|recipients?|accounts?|person|addressee|address|alias|inbox"
    r"|customer|subscriber|local part)"
)
_GONE = (
    r"(unknown|unavailable|not (be )?(found|exist|known|available|valid|local|listed"
    r"|recogni[sz]ed|deliverable|here)|(does|do|did).?(n.t|not) exist|no longer"
    r"|invalid|closed|full|expired|deleted|removed"
    r"|non.?existent|undeliverable|unroutable|unrouteable|rejected|moved"
    r"|over.?quota|retired|discontinued|is (unknown|dead))"
)
# The recipient does not exist or takes nothing, in the languages that were met.
RECIPIENT = re.compile(
    _any(
        rf"\b{_PERSON}\b.{{0,60}}\b{_GONE}",
        rf"\b(unknown|invalid|no such|no|not a( valid)?|bad|non.?existent"
        rf"|undeliverable|unrout\w+|never heard of( this| that)?"
        rf"|unrecogni[sz]ed|(does|do) not have( an?| this)?) "
        rf"(\w+ )?\b{_PERSON}\b",
        r"mail.?box|over.?quota|storage allocation|unrout(e)?able|undeliverable"
        r"|(nobody|no one) (here )?by that|not our customer|dead.?letter"
        r"|(host|domain) (name )?(not found|does.?n.t exist|not exist|unknown)"
        r"|no such (person|domain|host|local)|no (mx|mail exchanger|mail host)"
        r"|validrcptto|local users? only|verification failed for recipient"
        r"|(not|n.t) know (this|that|the|any)|doesn.t have an? .{0,30}account"
        r"|recipients? (rejected|refused)|\bmx records?|non.?existent hosts?"
        r"|retry time(out)? (exceeded|not reached)|lowest.numbered mx"
        r"|(unable to|can.?not|could not|can.t) (find|resolve|look.?up|route|reach)"
        r"(?! your)|no (mail.?server|route|host)\b|unreachable"
        r"|(inbox|box|buz.n|bandeja|bo.te|casella|caixa|postbus|skrzynk.|ящик)\b.{0,30}"
        r"(full|llen[oa]|plein|pien|cheia|vol\b|pe.n|переполн)",
        r"unbekannt|existiert nicht|nicht (gefunden|vorhanden|bekannt|erreichbar)"
        r"|(kein|keine|keinen) .{0,20}(postfach|benutzer|empf.{1,2}nger|nutzer|konto)"
        r"|ung.{1,2}ltige .{0,12}adresse|postfach|verzogen|verstorben",
        r"inconnu|n.existe (pas|plus)|introuvable|inexistant"
        r"|bo.te (aux lettres )?pleine"
        r"|aucun (utilisateur|compte)|adresse .{0,12}(invalide|incorrecte)",
        r"desconocid|desconhecid|no existe|n.o existe|no encontrado|n.o encontrad"
        r"|inexistente|destinatari[oa] .{0,30}(inv.lid|no v.lid|rechaz|recus)",
        r"sconosciut|non esiste|inesistente|non trovato|casella (piena|di posta)",
        r"onbekend|bestaat niet|niet gevonden|nieznan|nie istnieje|nie znaleziono"
        r"|neznam|neexistuje|nenalezen|ok.nd (mottagare|anv.ndare)|finns inte"
        r"|ukjent|ukendt|findes ikke|finnes ikke|tuntematon|ei ole olemassa"
        r"|ismeretlen|nem l.tezik|necunoscut|nu exist.|bilinmeyen|bulunamad"
        r"|mevcut de.il|tidak (ditemukan|dikenal)|kh.ng t.n t.i",
        r"нет так|неизвест|не существует|не найден|невідом|не існує|не знайден"
        r"|несъществ"
        r"|άγνωστο|δεν υπάρχει|不存在|不明|未知|用户不|找不到"
        r"|存在しません|見つかりません"
        r"|사용자.{0,6}없|존재하지|لا يوجد|غير موجود|לא קיים|ไม่พบ|ไม่มี",
    ),
    re.IGNORECASE | re.DOTALL,
)

_PERSON_ANYWHERE = (
    r"(users?|mail.?box|recipients?|accounts?|addressee|customer|subscriber|member"
    r"|konto|postfach|benutzer|teilnehmer|empf.{1,2}nger|compte|utilisateur"
    r"|destinata\w+|bo.te|cuenta|usuari\w|buz.n|conta|us.{1,2}rio|caixa|utente|casella"
    r"|account|gebruiker|postbus|u.ytkownik|skrzynk\w|adresat|u.ivatel|schr.nk\w"
    r"|mottagare\w?|k.ytt.j\w*|felhaszn.l.|utilizator\w*|hesap|hesab.|kullan.c."
    r"|пользовател\w|ящик|аккаунт|уч[её]тн\w+|получател\w|користувач\w?|скринька"
    r"|用户|帐号|账号|账户|帐户|邮箱|收件人|アカウント|ユーザー?|受信者|사용자|계정)"
)
_OUT_OF_USE = (
    r"(lock|block|disabl|suspend|inactiv|deactivat|terminat|frozen|barred|banned"
    r"|not (\w+ )?(activ|verified|validated|confirmed)|unverified|unconfirmed"
    r"|gesperrt|deaktiv|inaktiv|stillgelegt|abgeschaltet|nicht (mehr )?aktiv"
    r"|plus (actif|active|en service|valide)|d.sactiv|bloqu|suspend|r.sili|ferm."
    r"|deshabilit|inhabilit|inactiv|desativ|desactiv|cancelad|suspens|encerrad"
    r"|disabilit|disattiv|bloccat|sospes|inattiv|non (. )?(pi. )?attiv"
    r"|geblokkeerd|uitgeschakeld|opgeheven|niet (meer )?actief"
    r"|zablokowan|wy..czon|nieaktywn|zablokov|neaktivn|sp.rr|inaktiv|estetty"
    r"|letiltott|blocat|dezactivat|devre d|ask.ya"
    r"|заблокир|отключ|неактив|не актив|удал[её]н|вимкнен|停用|禁用|冻结|注销|锁定"
    r"|停止|無効|정지|휴면)"
)
# An account is out of use: a recipient's, most likely; but then ours is not.
OUT_OF_USE = re.compile(
    rf"{_PERSON_ANYWHERE}.{{0,60}}{_OUT_OF_USE}|{_OUT_OF_USE}.{{0,30}}{_PERSON_ANYWHERE}",
    re.IGNORECASE | re.DOTALL,
)

# The account that sends, whatever else the words look like.
ABOUT_ACCOUNT = re.compile(
    r"\byour (e-?mail )?(account|mailbox|subscription|sending|plan|contract)\b"
    r"|\b(outgoing|outbound)\b|\bsending (user|account|quota|limit|mail|e-?mails?)"
    r"|\b(paid|free|trial|premium|sandbox) (\w+ )?(plan|accounts?|version|tier)"
    r"|\bupgrade\b|\bcredits?\b|\bexternal\b|authori[sz]ed recipients"
    r"|\binvalid from\b|\bfrom domain\b|\bversand|\bbilling\b|\bsubscription\b"
    r"|\b(ihr|ihre?[mnrs]?|deine?[mnrs]?) (e-?mail.?)?(konto|postfach|account|zugang)"
    r"|\b(votre|vos) (compte|bo.te|adresse)|\b(su|tu) cuenta|\b(sua|tua) conta\b"
    r"|\b(vostro|suo|tuo) account|\b(uw|je) account|\bваш\w* (аккаунт|уч|ящик|поч)"
    r"|您的|你的",
    re.IGNORECASE,
)

# What an account lacks although its own address is taken: evidence where nothing else
# is. Limits are none: they would hold for its own address as well.
LEANS_TO_ACCOUNT = re.compile(
    r"\bplan\b|\bpaid\b|\bpay(ing|ment)?\b|premium|trial|licen[cs]e"
    r"|outside|permission|authori[sz]|not enabled|feature|sandbox|prohibit|privilege"
    r"|test(ing)? (mode|purpose|account)|white.?list|allow.?list|only (be )?sen[dt]"
    r"|\brelay|abuse|violat|\bip\b|\bsend(ing)?\b|authenticat|verified"
    r"|tarif\b|\bextern|berechtig|freigeschaltet|freigegeben|kontingent|missbrauch"
    r"|guthaben|\benvoi|forfait|abonnement|autoris|cr.dits?\b|env[ií]o\b|autorizad"
    r"|permiso|\binvi(o|are)\b|\bestern|autorizz|credito|verzend|toegestaan|tegoed"
    r"|wysy.|zewn.trz|uprawnie|отправ|внешн|разреш|тариф|发送|发信|外部|权限"
    r"|套餐|送信|발송|외부",
    re.IGNORECASE,
)
