"""The names that mail programs and providers give the folder of sent mail.

Nearest to the top wins when a mailbox has several. Written as a person reads them;
case, spaces, hyphens and underscores do not matter.
"""

import re
import unicodedata

NAMES = (
    # English: servers and programs, in the order of how often they are met
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Sent-Mail",
    "SentMail",
    "SentItems",
    "Sent Objects",
    "Sent E-mail",
    # German, Dutch, Danish, Norwegian, Swedish, Icelandic, Finnish
    "Gesendet",
    "Gesendete Elemente",
    "Gesendete Objekte",
    "Gesendete Nachrichten",
    "Gesendete E-Mails",
    "Verzonden",
    "Verzonden items",
    "Verzonden berichten",
    "Verzonden e-mail",
    "Sendt",
    "Sendt post",
    "Sendte elementer",
    "Sendte e-mails",
    "Sendte meldinger",
    "Sendte e-poster",
    "Skickat",
    "Skickade",
    "Skickade objekt",
    "Skickade meddelanden",
    "Skickad e-post",
    "Sendur póstur",
    "Lähetetyt",
    "Lähetetyt viestit",
    # French, Italian, Spanish, Catalan, Galician, Basque, Portuguese, Romanian
    "Envoyés",
    "Envoyé",
    "Éléments envoyés",
    "Messages envoyés",
    "Courrier envoyé",
    "E-mails envoyés",
    "Objets envoyés",
    "Inviata",
    "Inviati",
    "Posta inviata",
    "Messaggi inviati",
    "Elementi inviati",
    "Enviados",
    "Elementos enviados",
    "Mensajes enviados",
    "Correo enviado",
    "Correos enviados",
    "Enviats",
    "Elements enviats",
    "Missatges enviats",
    "Correu enviat",
    "Bidalita",
    "Bidalitakoak",
    "Enviadas",
    "Itens enviados",
    "Itens enviadas",
    "Mensagens enviadas",
    "E-mails enviados",
    "E-mail enviado",
    "Correio enviado",
    "Trimise",
    "Elemente trimise",
    "Mesaje trimise",
    # Polish, Czech, Slovak, Slovenian, Croatian, Serbian
    "Wysłane",
    "Elementy wysłane",
    "Wysłane wiadomości",
    "Odeslané",
    "Odeslaná pošta",
    "Odeslané položky",
    "Odeslané zprávy",
    "Odoslané",
    "Odoslaná pošta",
    "Odoslané položky",
    "Odoslané správy",
    "Poslano",
    "Poslana pošta",
    "Poslani elementi",
    "Poslane stavke",
    "Poslane poruke",
    "Poslato",
    "Послато",
    "Послате ставке",
    # Hungarian, Estonian, Latvian, Lithuanian, Turkish, Albanian
    "Elküldött",
    "Elküldött elemek",
    "Elküldött levelek",
    "Elküldött üzenetek",
    "Saadetud",
    "Saadetud üksused",
    "Saadetud kirjad",
    "Nosūtītie",
    "Nosūtītās",
    "Nosūtītie vienumi",
    "Nosūtītās ziņas",
    "Išsiųsta",
    "Išsiųsti",
    "Išsiųsti laiškai",
    "Išsiųsti elementai",
    "Gönderilen",
    "Gönderilenler",
    "Gönderilmiş",
    "Gönderilmiş Öğeler",
    "Gönderilmiş Postalar",
    "Gönderilen Postalar",
    "Të dërguarat",
    # Russian, Ukrainian, Belarusian, Bulgarian, Macedonian, Greek, Georgian, Armenian
    "Отправленные",
    "Отправленное",
    "Отправлено",
    "Надіслані",
    "Надіслане",
    "Відправлені",
    "Адпраўленыя",
    "Адасланыя",
    "Изпратени",
    "Изпратена поща",
    "Изпратени елементи",
    "Испратени",
    "Απεσταλμένα",
    "Σταλμένα",
    "Απεσταλμένα μηνύματα",
    "გაგზავნილი",
    "Ուղարկված",
    # Arabic, Hebrew, Persian, Urdu, Hindi, Bengali
    "المرسلة",
    "المرسل",
    "البريد المرسل",
    "البريد المُرسَل",
    "العناصر المرسلة",
    "الرسائل المرسلة",
    "דואר שנשלח",
    "פריטים שנשלחו",
    "נשלח",
    "فرستاده شده",
    "ارسال شده",
    "پیام های ارسال شده",
    "بھیجے گئے",
    "भेजे गए",
    "भेजे गए आइटम",
    "भेजा गया मेल",
    "প্রেরিত",
    # Chinese, Japanese, Korean, Vietnamese, Thai, Indonesian, Malay, Filipino
    "已发送",
    "已发送邮件",
    "已发送的邮件",
    "已发邮件",
    "已傳送",
    "寄件備份",
    "寄件備份匣",
    "寄件匣備份",
    "已寄出",
    "送信済み",
    "送信済みアイテム",
    "送信済みメール",
    "送信済みトレイ",
    "送信済メール",
    "보낸편지함",
    "보낸 편지함",
    "보낸 메일함",
    "보낸메일함",
    "보낸 메시지",
    "Đã gửi",
    "Thư đã gửi",
    "Mục đã gửi",
    "จดหมายที่ส่ง",
    "รายการที่ส่ง",
    "ส่งแล้ว",
    "ข้อความที่ส่ง",
    "Terkirim",
    "Item Terkirim",
    "Surat Terkirim",
    "Pesan Terkirim",
    "Dihantar",
    "Item Dihantar",
    "Mel Dihantar",
    "Naipadala",
)

# Levels that only hold a mailbox's standard folders, without the name of a namespace
PARENTS = ("inbox", "mail", "[gmail]", "[google mail]")


def folded(name):
    """Return a name as it is compared."""
    name = unicodedata.normalize("NFKC", name).casefold()
    # A second time: folding can take a name apart again.
    name = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\s_\-]+", " ", name).strip()


_PLACES = {folded(name): place for place, name in reversed([*enumerate(NAMES)])}


def rank(path, delimiter, prefixes):
    """Return the place of a folder's name in the table, None if it is not there.

    :param str path: full path, decoded
    :param str delimiter: between the levels of the path, may be empty
    :param prefixes: the prefixes of the user's own namespaces
    """
    for prefix in sorted(prefixes, key=len, reverse=True):
        if prefix and path.startswith(prefix):
            path = path[len(prefix) :]
            break
    levels = path.split(delimiter) if delimiter else [path]
    if len(levels) > 1 and levels[0].casefold() in PARENTS:
        levels = levels[1:]
    return _PLACES.get(folded(levels[0])) if len(levels) == 1 else None
