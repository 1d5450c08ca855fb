"""The HTML of a signature: what may be in it, and where its pictures come from.

Others read it in a form, next to buttons. Nothing in it may lie over them or leave its
place, and nobody's browser asks a foreign server for a picture by opening the form:
such a picture is kept aside until the signature is sent.
"""

import re
from urllib.parse import urlsplit

from lxml import etree, html

# fmt: off
TAGS = frozenset((
    "a", "abbr", "b", "big", "blockquote", "br", "center", "code", "del", "div",
    "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li",
    "ol", "p", "pre", "s", "small", "span", "strike", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
))
# Dropped with all that is in them; of other tags only the text stays.
DROPPED = frozenset((
    "head", "link", "math", "meta", "object", "script", "style", "svg", "template",
    "title",
))
ATTRIBUTES = frozenset((
    "align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "color",
    "colspan", "dir", "face", "height", "href", "lang", "rowspan", "size", "src",
    "style", "title", "valign", "width",
))
# fmt: on
STYLES = re.compile(
    r"color|background-color|font(-(family|size|style|variant|weight))?|line-height"
    r"|text-(align|decoration|transform)|letter-spacing|vertical-align|white-space"
    r"|list-style-type|padding(-(top|right|bottom|left))?|(max-)?(width|height)"
    r"|border(-(top|right|bottom|left))?(-(color|style|width|radius))?"
    r"|border-(collapse|spacing)|table-layout"
)
# Words, colours and lengths; nothing negative, no function but a colour, no address.
_VALUE = re.compile(r"""rgba?\([\d\s,.%]*\)|[\w\s#.,%"'/!]|(?<=\w)-(?=\w)""")
_OWN_PICTURE = re.compile(
    r"/web/(image|content)/[\w/?=&.-]*|data:image/(png|gif|jpeg|webp);base64,[\w+/=\s]*"
)
LINKS = ("http", "https", "mailto", "tel")
_REMOTE = "data-email-alias-src"
_PLACEHOLDER = "/web/static/img/placeholder.png"


def clean(text: str) -> str:
    """Return what of the HTML may be stored, its foreign pictures kept aside."""
    return _rewrite(text, _clean_element)


def for_sending(text: str) -> str:
    """Return the HTML with its foreign pictures, as recipients get it."""
    return _rewrite(text, _restore_picture) if _REMOTE in text else text


def _rewrite(text, change):
    try:
        root = html.fragment_fromstring(text, create_parent="div")
    except etree.LxmlError:
        return ""
    for element in list(root.iterdescendants()):
        change(element)
    whole = html.tostring(root, encoding="unicode")
    return whole.removeprefix("<div>").removesuffix("</div>")


def _restore_picture(element):
    address = element.attrib.pop(_REMOTE, "")
    if address:
        element.set("src", address)


def _clean_element(element):
    if not isinstance(element.tag, str) or element.tag in DROPPED:
        element.drop_tree()
        return
    if element.tag not in TAGS:
        element.drop_tag()
        return
    address = element.get(_REMOTE) or element.get("src") or ""
    for name in list(element.attrib):
        if name not in ATTRIBUTES:
            del element.attrib[name]
    if element.tag != "a" or not _has_scheme(element.get("href", ""), *LINKS):
        element.attrib.pop("href", None)
    if style := _clean_style(element.attrib.pop("style", "")):
        element.set("style", style)
    element.attrib.pop("src", None)
    if element.tag == "img":
        _keep_picture(element, address.strip())


def _keep_picture(element, address):
    if _OWN_PICTURE.fullmatch(address) and ".." not in address:
        element.set("src", address)
    elif _has_scheme(address, "http", "https"):
        element.set("src", _PLACEHOLDER)
        element.set(_REMOTE, address)
    else:
        element.drop_tree()


def _has_scheme(address, *schemes):
    try:
        return urlsplit(address.strip()).scheme in schemes
    except ValueError:
        return False


def _clean_style(style):
    """Keep the declarations of an allowed property with a harmless value."""
    kept = []
    for declaration in style.split(";"):
        name, _colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if STYLES.fullmatch(name) and value and not _VALUE.sub("", value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)
