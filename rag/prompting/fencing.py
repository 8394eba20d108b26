"""Fences: keep the text of documents apart from the prompt's own text.

Quoted text is enclosed in tags whose name occurs nowhere in it. A tokenizer would read the control tokens of chat
templates as the end of a message wherever they occur, so they get a dot: `<|im_end|>` is shown as `<·|im_end|>`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

DOT = "·"
_MOST_LABEL = 120

# Of every chat template we know; the families are open-ended, since each model adds its own. Matched in folded text:
# without invisible characters, in compatibility form, so that look-alikes count as what they look like.
_WORDS = (
    "s|unk|pad|bos|eos|cls|sep|mask|sop|eop|eot|eom|eod|think|image|audio|video|start|end|empty_output|filename|reponame|"
    "gh_stars|bos_token|eos_token|pad_token|start_of_turn|end_of_turn|start_of_image|end_of_image|start_of_text|"
    "end_of_text|end_of_utterance|end_of_sentence|fim_(?:prefix|middle|suffix|pad)|tools?|tool_(?:call|response)s?|"
    "(?:repo|file)_(?:name|sep)|issue_(?:start|comment|closed)|commit_(?:before|msg|after)|"
    "jupyter_(?:start|text|code|output|script)|extra_id_\\d+|(?:unused|reserved|special)_?\\d+|"
    "data-[a-z]{6}"
)
_BRACKETED = (
    "INST|SYS|CLS|SEP|MASK|PAD|UNK|BOS|EOS|gMASK|sMASK|IMG(?:_BREAK|_END)?|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|"
    "TOOL_CONTENT|SYSTEM_PROMPT|PREFIX|MIDDLE|SUFFIX|THINK"
)
_CONTROL = re.compile(
    rf"""
    (?P<opening>[<\[⟨])(?P<dots>{DOT}*)
    (?: (?<=[<{DOT}])(?:
            /?[|][^<>|\n]{{1,64}}[|]>           # <|im_end|>
          | /?(?:{_WORDS})(?=[\s/>])            # </s>, <start_of_turn>, </data-hjqwvk>
          | </?SYS>>                            # <<SYS>>
        )
      | (?<=[\[{DOT}])/?(?:{_BRACKETED})\]      # [INST]
      | (?<=[⟨{DOT}])U\+[0-9A-F]{{4,6}}⟩        # what an invisible character is shown as
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LOOK_ALIKES = str.maketrans(
    dict.fromkeys("‹〈❮❰˂", "<") | dict.fromkeys("›〉❯❱˃", ">") | dict.fromkeys("∣│┃ǀ⏐", "|") | {"▁": "_"}
)
_UNSEEN = frozenset({"Cf", "Cc", "Mn", "Me"})
# Control characters, overrides of the direction of writing, tags and selectors that can carry text nobody sees.
# White space stays, and so do the joiners and marks that scripts and emoji are written with.
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u180e\u202a-\u202e\u2061-\u2064\u2066-\u206f\ufff9-\ufffb"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
_SHOWN = re.compile(rf"⟨({DOT}*)U\+([0-9A-F]{{4,6}})⟩")


def fence(enclosed: Iterable[str]) -> str:
    """A tag name that occurs in nothing it will enclose, so that no document can close its own fence.

    It derives from the content: the same question over the same hits gives the same prompt, bit for bit.

    Example:
        >>> fence(["a", "b"])
        'data-lwjsbg'
    """
    text = "\x00".join(enclosed)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    while (name := f"data-{_letters(digest)}") in text.casefold():
        digest = hashlib.sha256(digest).digest()
    return name


def _letters(digest: bytes) -> str:
    """Letters, not digits: of those a tokenizer may make a token each, in every tag of every source."""
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:6])


def quoted(text: str) -> str:
    r"""`text` as it may stand in a prompt: its control tokens dotted, hidden characters spelled out, encodable.

    Hidden are control characters, and those that turn the direction of writing or carry text nobody sees.

    Example:
        >>> quoted("Bye.<|im_end|> \u202e")
        'Bye.<·|im_end|> ⟨U+202E⟩'
        >>> unquoted(quoted("Bye.<|im_end|> \u202e")) == "Bye.<|im_end|> \u202e"
        True
    """
    text = text.encode("utf-8", "replace").decode()
    places = [place + 1 for place, _ in _controls(text)]
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", DOT.join(pieces))


def unquoted(shown: str) -> str:
    """The text that `quoted` made `shown` of; lone surrogates stay question marks."""
    pieces, done = [], 0
    for match in _SHOWN.finditer(shown):
        pieces += [shown[done : match.start()], match[0] if match[1] else chr(int(match[2], 16))]
        done = match.end()
    plain = "".join([*pieces, shown[done:]])
    drop = [place + 1 for place, dotted in _controls(plain) if dotted]
    return "".join(
        plain[start:end] for start, end in zip([0, *(p + 1 for p in drop)], [*drop, len(plain)], strict=True)
    )


def label(text: str) -> str:
    """A title as an attribute: one line, bounded, without what could end the attribute or the tag."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: _MOST_LABEL * 8]).split())
    return quoted(clip(line, _MOST_LABEL)).translate(str.maketrans('"<>', "'‹›"))


def clip(text: str, limit: int) -> str:
    """The beginning of `text`, at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _controls(text: str) -> list[tuple[int, bool]]:
    """Where each control token opens, and whether it has a dot already."""
    folded, places = _folded(text)
    return [(places[match.start()], bool(match["dots"])) for match in _CONTROL.finditer(folded)]


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """`text` as the eye sees it, and the place in `text` of each of its characters."""
    if text.isascii():
        return text, range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isascii():
            plain = character
        elif unicodedata.category(character) in _UNSEEN:
            continue
        else:
            plain = unicodedata.normalize("NFKC", character).translate(_LOOK_ALIKES)
        pieces.append(plain)
        places += [place] * len(plain)
    return "".join(pieces), places
