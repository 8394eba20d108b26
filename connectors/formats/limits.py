"""Guards against hostile files, applied before any parser sees them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from lxml import etree

from connectors.errors import SourceError

# What the parser of a file may take grows with its size: a run over a hundred hostile files ends in minutes.
_BASE_SECONDS, _SECONDS_PER_MB, _MOST_SECONDS = 5.0, 20.0, 120.0
_BASE_MEMORY, _MEMORY_PER_BYTE, MOST_MEMORY = 1024**3, 200, 4 * 1024**3
_BASE_TEXT, _TEXT_PER_BYTE = 2_000_000, 20
_MB = 1_000_000

MAX_UNPACKED = 512 * 1024 * 1024
MAX_RATIO = 200
MAX_MEMBERS = 20_000
# Below this an archive may compress as well as it likes: a sheet of equal cells does, and it does no harm.
_RATIO_MATTERS_FROM = 32 * 1024 * 1024
_STEP = 1024 * 1024


def seconds_for(size: int) -> float:
    """The seconds of processor time that parsing a file of `size` bytes may take.

    >>> seconds_for(100_000), seconds_for(50_000_000)
    (7.0, 120.0)
    """
    return min(_BASE_SECONDS + _SECONDS_PER_MB * size / _MB, _MOST_SECONDS)


def memory_for(size: int) -> int:
    """The bytes of memory that parsing a file of `size` bytes may take, on top of what the process holds already."""
    return min(_BASE_MEMORY + _MEMORY_PER_BYTE * size, MOST_MEMORY)


def text_for(size: int) -> int:
    """The characters of text that a file of `size` bytes may hold: all there are, unless it says the same for ever.

    >>> text_for(100_000)
    4000000
    """
    return _BASE_TEXT + _TEXT_PER_BYTE * size


def check_zip(data: bytes) -> None:
    """Raise `SourceError` unless the archive unpacks to a reasonable size, by its own word and in fact.

    The parsers trust the sizes an archive declares, or ignore them: so the declared ones are added up first, and then
    every member is really unpacked, a step at a time (which also checks the checksums).
    """
    limit = MAX_UNPACKED
    if MAX_RATIO * len(data) < limit:
        limit = max(MAX_RATIO * len(data), _RATIO_MATTERS_FROM)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > limit:
            raise _bomb(len(data))
        if any(member.flag_bits & 1 for member in members):
            raise SourceError("the archive inside it is encrypted", hint="remove the password and try again")
        unpacked = 0
        for member in members:
            with archive.open(member) as stream:
                while step := stream.read(_STEP):
                    unpacked += len(step)
                    if unpacked > limit:
                        raise _bomb(len(data))


def _bomb(size: int) -> SourceError:
    return SourceError(
        f"unpacks to far more than its {size:,} bytes (a zip bomb?)",
        hint="if the file is genuine, save it again from the program that made it, or split it",
    )


def _parser(*, recover: bool) -> etree.XMLParser[etree._Element]:
    """A parser that expands no entities, loads no DTD, asks no network and keeps libxml2's limits on depth and size."""
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def parse_xml(data: bytes, *, recover: bool = True, leave_out: Callable[[str], None] | None = None) -> etree._Element:
    """The root of an XML document, read safely; of a damaged one what can be recovered, unless that is not wanted.

    `leave_out` is told when there may be more than was recovered.
    """
    parser = _parser(recover=recover)
    root = etree.fromstring(data, parser)
    if root is None:
        raise SourceError("it contains no XML element")
    if leave_out is not None and any(error.level == etree.ErrorLevels.FATAL for error in parser.error_log):
        leave_out("what is damaged in its XML")
    return root
