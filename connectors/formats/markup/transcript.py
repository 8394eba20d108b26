"""Subtitles and transcripts (WebVTT, SubRip, SBV): what was said, in paragraphs, with the time and the speaker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from connectors.formats.limits import text_for
from connectors.parsed import Parsed, TextBuilder, one_line

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*(?:-->|,)\s*{_TIME}(?:\s.*)?")
_BEGINNING = re.compile(rf"\ufeff?(?:WEBVTT\b|\s*(?:\d{{1,6}}\s*\n\s*)?{_TIME}\s*-->)")
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]*)>")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<\d[^<>]*>|\{\\[^{}]*\}")
_SPEAKER = re.compile(r"(?:>>\s*)?([^\W\d_][\w .'’()-]{0,40}):\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’»)]*$")
_LONG, _TOO_LONG = 400, 1200  # characters after which a paragraph ends with its sentence, or at once
_PAUSE = 4.0  # seconds of silence that end a paragraph


class _Cue(NamedTuple):
    """What is shown from one second to another, and who says it where the file tells."""

    start: float
    end: float
    speaker: str
    text: str


def is_transcript(text: str) -> bool:
    """Whether a text begins as subtitles do, whatever its name."""
    return _BEGINNING.match(text) is not None


def parse_transcript(text: str) -> Parsed:
    """Paragraphs of what one speaker said, each behind the time at which it begins: `[00:01:12] Ines: The crane …`.

    Lines that subtitles repeat while they roll up stand once. A file without a single time is kept as it stands.
    """
    builder = TextBuilder(text_for(len(text)))
    first: _Cue | None = None
    last: _Cue | None = None
    said: list[str] = []
    length = 0
    for cue in _cues(text):
        if first is None or last is None or _begins_paragraph(cue, first, last, said[-1], length):
            _write(first, said, builder)
            first, said, length = cue, [], 0
        said.append(cue.text)
        length += len(cue.text)
        last = cue
    if first is None:
        builder.paragraph(text)
    _write(first, said, builder)
    return builder.build("transcript")


def _begins_paragraph(cue: _Cue, first: _Cue, last: _Cue, said: str, length: int) -> bool:
    if cue.speaker and cue.speaker != first.speaker:
        return True
    is_end = _SENTENCE_END.search(said[-10:]) is not None
    return length > _TOO_LONG or (is_end and (length > _LONG or cue.start - last.end > _PAUSE))


def _write(first: _Cue | None, said: list[str], builder: TextBuilder) -> None:
    if first is not None:
        speaker = f"{first.speaker}: " if first.speaker else ""
        builder.paragraph(f"[{_clock(first.start)}] {speaker}{' '.join(said)}")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def _cues(text: str) -> Iterator[_Cue]:
    """The cues in order, without the lines that the one before has shown already."""
    lines = text.splitlines()
    timings = [(number, found) for number, line in enumerate(lines) if (found := _CUE.fullmatch(line[:200]))]
    ends = [number for number, _ in timings[1:]] + [len(lines)]
    shown: list[str] = []
    for (number, timing), end in zip(timings, ends, strict=False):
        payload = _payload(lines[number + 1 : end], is_last=end == len(lines))
        voice = next((found[1].strip() for line in payload if (found := _VOICE.search(line))), "")
        plain = [one_line(unescape(_MARKUP.sub("", line))) for line in payload]
        new = [line for line in plain if line and line not in shown]
        shown = plain
        if not new:
            continue
        said = " ".join(new)
        if not voice and (speaker := _SPEAKER.match(said)):
            voice, said = speaker[1].strip(), said[speaker.end() :]
        start, stop = (_seconds(*timing.groups()[at : at + 4]) for at in (0, 4))
        yield _Cue(start, stop, voice, said)


def _payload(lines: list[str], *, is_last: bool) -> list[str]:
    """The lines of a cue, without notes, and without the number or name of the next cue, which is the last line."""
    if not is_last and lines and _is_name(lines[-1], lines[-2] if len(lines) > 1 else None):
        lines = lines[:-1]
    kept, is_note, is_set_off = [], False, False
    for line in lines:
        is_blank = not line.strip()
        is_note = not is_blank and (is_note or (is_set_off and _BLOCK.match(line) is not None))
        is_set_off = is_blank
        if not is_blank and not is_note:
            kept.append(line)
    return kept


def _is_name(line: str, before: str | None) -> bool:
    return line.strip().isdigit() or (bool(line.strip()) and before is not None and not before.strip())


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")
