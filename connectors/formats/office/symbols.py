"""Characters of the fonts that hold pictures in the place of letters (Symbol, Wingdings), as Unicode has them."""

from __future__ import annotations

from collections.abc import Mapping

TICKED, EMPTY = "☒", "☐"  # as Word draws them: a box that is crossed is chosen
_PRIVATE = range(0xF000, 0xF100)  # where programs keep the characters of such fonts
_SYMBOL_LETTERS = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
_SYMBOL = {
    **{0x41 + place: letter for place, letter in enumerate(_SYMBOL_LETTERS[0])},
    **{0x61 + place: letter for place, letter in enumerate(_SYMBOL_LETTERS[1])},
    **{code: chr(code) for code in (*range(0x20, 0x22), 0x23, 0x25, 0x26, *range(0x28, 0x2A), *range(0x2B, 0x2D))},
    **{code: chr(code) for code in (*range(0x2E, 0x40), 0x5B, 0x5D, 0x5F, *range(0x7B, 0x7E))},
    0x22: "∀",
    0x24: "∃",
    0x27: "∍",
    0x2A: "∗",
    0x2D: "−",
    0x40: "≅",
    0x5C: "∴",
    0x5E: "⊥",
    0x7E: "∼",
    **dict(enumerate("ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…", 0xA1)),
    **dict(enumerate("↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊", 0xBF)),
    0xE5: "∑",
    0xF2: "∫",
    0xE1: "⟨",
    0xF1: "⟩",
    0xA0: "€",
    0xB0: "°",
}
_WINGDINGS = {
    0x20: " ",
    0x22: "✂",
    0x28: "☎",
    0x29: "✆",
    0x2A: "✉",
    0x34: "📄",
    0x36: "⌛",
    0x37: "⌨",
    0x3F: "✍",
    0x41: "✌",
    0x43: "👍",
    0x44: "👎",
    0x45: "☜",
    0x46: "☞",
    0x47: "☝",
    0x48: "☟",
    0x4A: "☺",
    0x4B: "😐",
    0x4C: "☹",
    0x4D: "💣",
    0x4E: "☠",
    0x50: "🏱",
    0x51: "✈",
    0x52: "☼",
    0x54: "❄",
    0x6C: "●",
    0x6D: "❍",
    0x6E: "■",
    0x6F: EMPTY,
    0x71: EMPTY,
    0x72: EMPTY,
    0x73: "⬧",
    0x74: "⧫",
    0x75: "◆",
    0x76: "❖",
    0x77: "⬥",
    0x78: "⌧",
    0xA1: "○",
    0xA7: "▪",
    **dict(enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩", 0x80)),
    **dict(enumerate("⓿❶❷❸❹❺❻❼❽❾❿", 0x8B)),
    0x9F: "•",
    0xA8: EMPTY,
    0xAB: "★",
    0xD8: "➢",
    0xDC: "➲",
    0xDF: "←",
    0xE0: "→",
    0xE1: "↑",
    0xE2: "↓",
    0xE8: "➔",
    0xEF: "⇦",
    0xF0: "⇨",
    0xF1: "⇧",
    0xF2: "⇩",
    0xFB: "✗",
    0xFC: "✓",
    0xFD: TICKED,
    0xFE: "☑",
}
_WINGDINGS_2 = {0x20: " ", 0x4F: "✗", 0x50: "✓", 0x51: TICKED, 0x52: "☑", 0x53: TICKED, 0x54: TICKED, 0xA3: EMPTY}
_WINGDINGS_2 |= {0x2A: EMPTY, 0x30: "✎", 0x98: "●", 0xA2: "■"}
_WEBDINGS = {0x20: " ", 0x61: "✓", 0x63: EMPTY, 0x67: "■", 0x72: "✗", 0x6E: "●", 0x33: "◀", 0x34: "▶", 0x69: "ⓘ"}
_FONTS: Mapping[str, Mapping[int, str]] = {
    "symbol": _SYMBOL,
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "webdings": _WEBDINGS,
    "wingdings 3": {0x20: " ", 0x21: "→", 0x22: "↑", 0x23: "↓", 0x7D: "▶", 0x70: "▲", 0x71: "▼"},
}


def is_symbol_font(font: str) -> bool:
    """Whether the letters of a font are pictures."""
    return font.casefold() in _FONTS


def unicode_of(code: int, font: str) -> str:
    """The character that a font shows for a code; empty where it is not known.

    >>> unicode_of(0xF0FE, "Wingdings"), unicode_of(0x61, "Symbol"), unicode_of(0x2713, "Segoe UI Symbol")
    ('☑', 'α', '✓')
    """
    known = _FONTS.get(font.casefold())
    if known is None:
        return "" if code in _PRIVATE else chr(code)
    low = code - _PRIVATE.start if code in _PRIVATE else code
    return known.get(low, chr(code) if low > 0xFF else "")  # noqa: PLR2004


def translated(text: str, font: str) -> str:
    r"""Text set in a font; what is not known of a font of pictures is left out.

    >>> translated("þ Pets", "Arial"), translated("\uf0a8", "Wingdings")
    ('þ Pets', '☐')
    """
    if not is_symbol_font(font):
        return text
    return "".join(unicode_of(ord(character), font) for character in text)
