"""What a picture says of itself: the text that its author wrote for those who do not see it."""

from __future__ import annotations

import re

from lxml import etree

from connectors.parsed import one_line

# What programs write: a guess of theirs, a file name, the name and number of a shape.
_GUESSED = re.compile(
    r"[.,]?\s*(?:description automatically generated(?: with \w+ confidence)?|AI-generated content may be incorrect\.?"
    r"|automatisch generierte beschreibung)\s*$",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf|webp)|(?:https?|file):\S+|\w:\\.*"
    r"|(?:picture|image|graphic|grafik|bild|shape|object|text ?box|chart|diagram|photo|logo|icon)[\s_-]*\d*",
    re.IGNORECASE,
)


def described(text: str) -> str:
    """A description as a person wrote it; empty where a program did.

    >>> described("A crane lifts a container, Description automatically generated"), described("image1.png")
    ('A crane lifts a container', '')
    """
    text = _GUESSED.sub("", one_line(text))
    return "" if _NOTHING.fullmatch(text) else text


def picture_text(element: etree._Element) -> str:
    """What stands for a picture or a watermark in the text; empty where nothing does."""
    watermark = element.get("string") if etree.QName(element).localname == "textpath" else None
    if watermark:
        return one_line(watermark)
    text = described(element.get("descr") or element.get("alt") or "")
    return f"[Picture: {text}]" if text else ""
