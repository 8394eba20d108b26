"""What programs write as title and author when nobody gave one: the one list that every format asks."""

from __future__ import annotations

import re

from connectors.parsed import one_line

# A file name behind the name of the program that printed it.
_PRINTED = re.compile(
    r"(?:microsoft (?:office )?(?:word|excel|powerpoint|visio|outlook|project|publisher)|powerpoint presentation"
    r"|(?:open|libre)office\S* \w+|print)\s+[-–—]\s",
    re.IGNORECASE,
)
_SHOW = r"(?:pr[eä]sentation|présentation|presentaci[oó]n|presentazione|apresentação|presentatie)"
_DEFAULT = re.compile(
    rf"""
    (?!\d+$)
    (?:anonymous|unspecified|unknown|none|null|n/?a|home|index|slide\ title|click\ to\ (?:add|edit)\ .*
    |untitled|unbenannt|namenlos|ohne\ titel|sans\ titre|sin\ t[ií]tulo|senza\ (?:titolo|nome)|sem\ t[ií]tulo
    |(?:no|document|insert|your|zonder)?[\ _-]?tit(?:le|el)|titre|t[ií]tulo|titolo
    |(?:(?:new|untitled|blank|neues?|unbenanntes?|nouveau|nouvelle|nuevo|nuova?)[\ _-]*)?
     (?:document|dokument|documento|doc|dok|page|web\ ?page|workbook|spreadsheet|tabelle|mappe|arbeitsmappe|classeur
     |libro|{_SHOW}|slide|folie|diapositiv[ae]|book|drawing|file)
    |{_SHOW}\ (?:(?:standard\ )?d[eio]\ )?(?:microsoft\ )?power\ ?point
    |(?:(?:microsoft|ms|open\ ?xml|google|pdf|office)[\ _-]?)*(?:word|excel|office|power\ ?point)?
     [\ -]*(?:document|dokument|documento|{_SHOW})?
    )
    [\ _-]*(?:\(?\#?\d{{1,4}}\)?)?  # Dokument1, untitled (2)
    (?:\.\w{{2,5}}|\ -\ (?:microsoft\ )?(?:word|excel|powerpoint))?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BRACKETS = "()[]<>{}"
_NOBODY = frozenset(
    {"anonymous", "unknown", "unspecified", "author", "user", "admin", "administrator", "owner", "none", "null", "n/a"}
    | {"root", "default", "microsoft", "microsoft office user", "windows user", "benutzer", "unbekannt"}
    | {"python-docx", "openpyxl", "xlsxwriter", "apache poi"}
)


def claimed_title(title: str) -> str:
    """The title that a file claims on one line; empty if it is what a program writes when nobody gave one.

    >>> claimed_title("PowerPoint Presentation"), claimed_title("Torque list")
    ('', 'Torque list')
    """
    title = one_line(title)
    bare = title.strip(_BRACKETS)
    return "" if _PRINTED.match(title) or _DEFAULT.fullmatch(bare) or not any(map(str.isalnum, bare)) else title


def claimed_author(author: str) -> str:
    """The author that a file claims; empty if a program wrote it.

    >>> claimed_author("(anonymous)"), claimed_author("Ann Müller")
    ('', 'Ann Müller')
    """
    author = one_line(author)
    return "" if author.strip(_BRACKETS).casefold() in _NOBODY else author
