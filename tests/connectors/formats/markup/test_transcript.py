from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.formats import Parsed, parse

MEETING = """WEBVTT - Meeting
Kind: captions

STYLE
::cue { color: red }

NOTE a remark
of two lines

1
00:01.000 --> 00:04.000 align:start
<v Ines Berg>The crane comes <i>on Monday</i> &amp; stays</v>

2
00:04.100 --> 00:06.000
<v Ines Berg>until Friday.

NOTE a remark between

intro-3
01:00:07.000 --> 01:00:09.000
<v Tom>Good.
"""
FILM = """1
00:00:01,000 --> 00:00:04,000
{\\an8}The pump stops
at six bar.

2
00:01:14,500 --> 00:01:16,000
- Who opens the valve?
- Hansen does.
3
00:02:14,500 --> 00:02:16,000
INES: Thanks.
"""


def transcript(text: str, name: str = "a.vtt") -> Parsed:
    return parse(text.encode(), Path(name))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_meeting_is_read_speaker_by_speaker(ends: str) -> None:
    parsed = transcript(MEETING.replace("\n", ends))
    assert (
        parsed.text == "[00:00:01] Ines Berg: The crane comes on Monday & stays until Friday.\n\n[01:00:07] Tom: Good."
    )
    assert parsed.kind == "transcript"


@pytest.mark.parametrize("name", ["a.srt", "a.txt", "subtitles"])
def test_subtitles_are_sentences_behind_their_time(name: str) -> None:
    assert transcript(FILM, name).text == (
        "[00:00:01] The pump stops at six bar.\n\n[00:01:14] - Who opens the valve? - Hansen does."
        "\n\n[00:02:14] INES: Thanks."
    )


def test_lines_that_roll_up_stand_once() -> None:
    rolling = (
        "WEBVTT\n\n00:00.000 --> 00:02.000\nhello there\n\n00:02.000 --> 00:04.000\nhello there\n"
        "general<00:03.000><c> Kenobi</c>\n\n00:04.000 --> 00:05.000\ngeneral Kenobi\nyou are bold\n"
    )
    assert transcript(rolling).text == "[00:00:00] hello there general Kenobi you are bold"


def test_other_notations() -> None:
    text = "0:00:01.000,0:00:04.000\nText one.\n\n0:05:05.000,0:05:06.000\nText two.\n"
    assert transcript(text, "a.sbv").text == "[00:00:01] Text one.\n\n[00:05:05] Text two."
    old = FILM.encode("utf-8").replace(b"Thanks", "Größe".encode("cp1252"))
    assert parse(old, Path("a.srt")).text.endswith("INES: Größe.")


def test_long_speeches_end_with_a_sentence() -> None:
    cues = "".join(
        f"{at // 60:02}:{at % 60:02}.000 --> {at // 60:02}:{at % 60:02}.900\nThis is sentence number {at}.\n\n"
        for at in range(200)
    )
    paragraphs = transcript(f"WEBVTT\n\n{cues}").text.split("\n\n")
    assert len(paragraphs) > 5
    assert all(paragraph.endswith(".") and len(paragraph) < 600 for paragraph in paragraphs)
    assert sum(paragraph.count("sentence") for paragraph in paragraphs) == 200


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("WEBVTT\n", "WEBVTT"),
        ("no times at all", "no times at all"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n\n", ""),
        ("00:01.000 --> 00:02.000\n42\n00:03.000 --> 00:04.000\nyes\n", "[00:00:03] yes"),
        ("99:99:99,9 --> 0:0:0,0\nodd", ""),
    ],
)
def test_odd_files_are_read_as_far_as_they_go(text: str, read: str) -> None:
    assert read in transcript(text).text


@pytest.mark.parametrize(
    "unit", ["00:01.000 --> 00:02.000\n", "<v a", "{\\\\", "a: ", "NOTE\n", "\n", "00:01.000 --> "]
)
def test_hostile_transcripts_cost_little(unit: str) -> None:
    started = time.process_time()
    transcript(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{unit * (1_000_000 // len(unit))}")
    assert time.process_time() - started < 10


def test_a_text_with_a_time_is_no_transcript() -> None:
    assert transcript("00:01.000 is when it began\n", "a.txt").kind == "text"
    assert transcript("1\n2\n3\n", "a.txt").kind == "text"
