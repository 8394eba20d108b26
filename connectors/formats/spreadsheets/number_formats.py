"""Number formats of spreadsheet programs: what a cell shows of its value (ECMA-376 part 1, 18.8.30)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

Value = int | float | str | bool | time | date | datetime | timedelta

GENERAL = "General"
BUILT_IN = {  # the formats that a workbook need not define, by their numbers
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "mm-dd-yy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}
_LONGEST = 255  # characters of a format, as in the programs that write it
_MOST_DECIMALS = 30
_LARGEST = 1e21  # beyond it a program shows powers of ten
_MOST_KEPT = 10_000
_ROUNDING = Context(prec=80, rounding=ROUND_HALF_UP)  # as people round, where Python rounds to even
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<exponent>E[+-])|(?P<general>General)|(?P<digit>[0#?])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_COMPARISONS = {
    "<": float.__lt__,
    ">": float.__gt__,
    "<=": float.__le__,
    ">=": float.__ge__,
    "=": float.__eq__,
    "<>": float.__ne__,
}
_UNSEEN = re.compile(r'"[^"]*"?|\\.|[_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_CLOCK = re.compile(r"\[h+\]|\[m+\]|\[s+\]|am/pm|a/p|y+|m+|d+|h+|s+(?:\.0+)?|.", re.IGNORECASE | re.DOTALL)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def shown(value: Value, code: str = "") -> str:
    """What a cell with the number format `code` shows; dates are shown in ISO form, whatever their order.

    A format that hides its value, or that is no format, shows the value as such.

    >>> shown(0.081, "0.0%"), shown(1067.0, "00000"), shown(-1250.5, '#,##0.00 "EUR";(#,##0.00)')
    ('8.1%', '01067', '(1,250.50)')
    >>> shown(timedelta(hours=36), "[h]:mm"), shown(date(2024, 2, 3), "dd/mm/yyyy")
    ('36:00', '2024-02-03')
    """
    if isinstance(value, str):
        return " ".join(value.split()) if "@" not in code else _text(value, code)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        common = _common(code) if value > 0 and code else None
        if common is not None and value < _LARGEST:
            return f"{common.before}{value * common.factor:{common.digits}}{common.after}"
        return _number(float(value), code) or _plain(value)
    return _moment(value, code)


class NumberFormat(dict[float, str]):
    """What numbers show in the format `code`: a column has few numbers, and showing one costs more than finding it."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def __missing__(self, value: float) -> str:
        text = shown(value, self.code)
        if len(self) < _MOST_KEPT:
            self[value] = text
        return text


@lru_cache(maxsize=1024)
def number_format(code: str) -> NumberFormat:
    """What numbers show in the format `code`; empty for none."""
    return NumberFormat("" if code in {GENERAL, "@"} else code)


class _Common(NamedTuple):
    """What most formats are: digits, perhaps in groups, between words, signs or blanks."""

    before: str
    factor: float
    digits: str
    after: str


_COMMON = re.compile(
    r'(?P<before>(?:[$€£¥ ]|"[^"]*")*)(?P<grouped>#,##)?0(?:\.(?P<decimals>0+))?'
    r'(?P<after>(?:[$€£¥% ]|"[^"]*"|\\ )*)$'
)


@lru_cache(maxsize=1024)
def _common(code: str) -> _Common | None:
    found = _COMMON.match(code.partition(";")[0])
    if found is None or code.count("%") > 1 or '"' in code.partition(";")[2] or "[" in code:
        return None
    before, after = (" ".join(re.sub(r'["\\]', "", found[name]).split(" ")) for name in ("before", "after"))
    # Two units in the last place more: 2.675 is stored as a little less, and shown as 2.68.
    factor = (100 if "%" in code else 1) * (1 + 2**-51)
    digits = f"{',' if found['grouped'] else ''}.{len(found['decimals'] or '')}f"
    return _Common(before.lstrip(), factor, digits, after.rstrip())


def _plain(value: float) -> str:
    """A number without a format: no `.0` behind whole ones, and no more digits than a program keeps."""
    return f"{value:.15g}"


def _text(value: str, code: str) -> str:
    text = " ".join(value.split())
    if "@" not in code or code == "@":
        return text
    section = _format(code).sections[-1]
    whole = "".join(text if part == ("other", "@") else _literal(*part) for part in section.parts)
    return " ".join(whole.split()) if ("other", "@") in section.parts else text


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the parts of a format that semicolons set apart, for the numbers that meet its condition."""

    parts: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None


@dataclass(frozen=True, slots=True)
class _Format:
    sections: tuple[_Section, ...]

    def section(self, value: float) -> tuple[_Section, bool]:
        """The section for a number, and whether it shows the sign itself."""
        numeric = [each for each in self.sections if ("other", "@") not in each.parts] or list(self.sections)
        if any(each.condition for each in numeric):
            for each in numeric:
                if each.condition is None or _COMPARISONS[each.condition[0]](value, each.condition[1]):
                    return each, False
            return numeric[-1], False
        if value < 0 and len(numeric) > 1:
            return numeric[1], True
        return numeric[2 if value == 0 and len(numeric) > 2 else 0], False  # noqa: PLR2004


@lru_cache(maxsize=1024)
def _format(code: str) -> _Format:
    sections: list[list[tuple[str, str]]] = [[]]
    conditions: list[tuple[str, float] | None] = [None]
    for found in _TOKEN.finditer(code[:_LONGEST]):
        kind = found.lastgroup or "other"
        text = found[kind]
        if kind == "other" and text == ";":
            sections.append([])
            conditions.append(None)
        elif kind == "bracket":
            if condition := _CONDITION.match(text):
                conditions[-1] = condition[1], float(condition[2])
            elif text.startswith("$"):  # a currency, and perhaps a language
                sections[-1].append(("quoted", text[1:].partition("-")[0]))
        elif kind != "fill":
            sections[-1].append((kind, text))
    return _Format(tuple(map(_Section, map(tuple, sections), conditions)))


def _literal(kind: str, text: str) -> str:
    if kind in {"quoted", "escaped"}:
        return text
    return " " if kind == "space" else text if kind == "other" else ""


def _number(value: float, code: str) -> str:
    """A number as its format shows it; nothing where the format does not tell."""
    if not code or not abs(value) < _LARGEST:
        return ""
    section, signed = _format(code).section(value)
    try:
        body = _rendered(section.parts, value)
    except InvalidOperation:  # a hundred percent signs ask for more digits than any program shows
        return ""
    if not body.strip():
        return ""
    minus = "-" if value < 0 and not signed and any(digit in body for digit in "123456789") else ""
    return " ".join(f"{minus}{body.strip()}".split())


def _rendered(parts: tuple[tuple[str, str], ...], value: float) -> str:
    kinds = [kind for kind, _ in parts]
    if "general" in kinds:
        return "".join(_plain(abs(value)) if kind == "general" else _literal(kind, text) for kind, text in parts)
    if "digit" not in kinds:
        return "".join(_literal(*part) for part in parts)
    if ("other", "/") in parts:
        return _fraction(parts, value)
    last = max(at for at, kind in enumerate(kinds) if kind == "digit")
    exponent = kinds.index("exponent") if "exponent" in kinds else len(parts)
    point = next((at for at, part in enumerate(parts[:exponent]) if part == ("other", ".")), exponent)
    whole = [at for at, kind in enumerate(kinds[:point]) if kind == "digit"]
    decimals = [at for at, kind in enumerate(kinds[point:exponent], point) if kind == "digit"][:_MOST_DECIMALS]
    commas = [at for at, part in enumerate(parts[:exponent]) if part == ("other", ",")]
    edge = max([*whole, *decimals], default=last)
    scaling = [at for at in commas if at > edge or (whole and whole[-1] < at < point)]
    number = abs(Decimal(repr(value))) * 100 ** parts.count(("other", "%")) / Decimal(1000) ** len(scaling)
    power = 0
    if exponent < len(parts):
        power = number.adjusted() if number else 0
        number = number.scaleb(-power)
    rounded = _ROUNDING.quantize(number, Decimal(1).scaleb(-len(decimals)))
    before, _, after = f"{rounded:f}".partition(".")
    grouped = any(whole and whole[0] < at < whole[-1] for at in commas)
    filled = _filled(parts, whole, before.lstrip("0"), grouped=grouped) | _decimals(parts, decimals, after)
    if exponent < len(parts):
        filled[exponent] = f"E{'-' if power < 0 else '+'}{abs(power):0{kinds[exponent:].count('digit')}d}"
    skipped = {*commas, *range(exponent + 1, last + 1 if exponent < len(parts) else 0)}
    if point < exponent and not any(filled.get(at) for at in decimals):
        skipped.add(point)
    return "".join(
        filled.get(at, "" if at in skipped else _literal(*part)) for at, part in enumerate(parts) if at not in skipped
    )


def _filled(parts: tuple[tuple[str, str], ...], places: list[int], digits: str, *, grouped: bool) -> dict[int, str]:
    """The digits before the point, dealt from the right to the `places` for them; the first takes all that are left."""
    found: dict[int, str] = {}
    count = 0
    for at in reversed(places):
        taken = digits if at == places[0] else digits[-1:]
        digits = digits[: len(digits) - len(taken)]
        text = ""
        for digit in reversed(taken or ("0" if parts[at][1] == "0" else "")):
            text = f"{digit}{',' if grouped and count and count % 3 == 0 else ''}{text}"
            count += 1
        found[at] = text
    if not places and digits:
        found[-1] = digits
    return found


def _decimals(parts: tuple[tuple[str, str], ...], places: list[int], digits: str) -> dict[int, str]:
    kept = len(digits)
    while kept and digits[kept - 1] == "0" and parts[places[kept - 1]][1] != "0":
        kept -= 1
    return {at: digits[number] if number < kept else "" for number, at in enumerate(places)}


def _fraction(parts: tuple[tuple[str, str], ...], value: float) -> str:
    """A number as a fraction: `1 1/2`."""
    pattern = "".join(text for kind, text in parts if kind in {"digit", "other"})
    before, _, below = pattern.partition("/")
    fixed = re.match(r"\s*([1-9]\d*)", below)
    exact = Fraction(abs(value))
    digits = max(1, min(3, len(re.findall(r"[#?0]", below))))
    if fixed:
        count = int(fixed[1][:3])
        found = Fraction(round(exact * count), count)
        top, bottom = found.numerator * count // found.denominator, count
    else:
        found = exact.limit_denominator(10**digits - 1)
        top, bottom = found.numerator, found.denominator
    whole, top = divmod(top, bottom) if len(before.split()) > 1 else (0, top)
    if not top:
        return str(whole)
    return f"{whole} {top}/{bottom}" if whole else f"{top}/{bottom}"


@lru_cache(maxsize=1024)
def _seen(code: str) -> tuple[str, bool]:
    """The tokens of a format of dates and times, without its words, colours and languages; whether it shows a day."""
    seen = _UNSEEN.sub("", code.partition(";")[0]).lower() if code != GENERAL else ""
    is_day = bool({"d", "dd"} & set(re.findall(r"d+", seen))) and "m" in seen
    return seen, is_day or not seen


def _moment(value: time | date | datetime | timedelta, code: str) -> str:
    """A date in ISO form, and what the format shows of a time; a duration in hours, and no days."""
    seen, is_day = _seen(code)
    if is_day and type(value) is date:
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value, seen if re.search(r"[hs]|\[m", seen) else "[h]:mm:ss", None)
    if isinstance(value, time):
        moment: datetime | None = None
        passed = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    else:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
        passed = moment - datetime.combine(moment.date(), time.min)
    timed = "h" in seen or "s" in seen
    dated = moment is not None and ("d" in seen or "y" in seen or not timed)
    if moment is None or not dated:
        return _clock(passed, seen or "hh:mm:ss", moment)
    if not seen:
        return moment.date().isoformat() if not passed else f"{moment:%Y-%m-%d %H:%M:%S}"
    if not is_day:
        return _clock(passed, seen, moment)
    clock = f" {moment:%H:%M:%S}" if "s" in seen else f" {moment:%H:%M}" if timed else ""
    return f"{moment.date().isoformat()}{clock}"


def _clock(passed: timedelta, code: str, moment: datetime | None) -> str:
    """The tokens of a format of dates and times, each filled in; a month beside hours or seconds is minutes."""
    total = passed.total_seconds()
    seconds = Decimal(str(abs(total)))
    tokens = _CLOCK.findall(code)
    halves = any(token in {"am/pm", "a/p"} for token in tokens)
    hours, minutes = int(seconds // 3600), int(seconds // 60)
    found = []
    for at, token in enumerate(tokens):
        letter = token.strip("[]")[:1]
        width = len(token.strip("[]"))
        if token.startswith("[") and letter in "hms":
            whole = {"h": hours, "m": minutes, "s": int(seconds)}[letter]
            found.append(f"{whole:0{width}d}")
        elif token in {"am/pm", "a/p"}:
            found.append(("AM" if hours % 24 < 12 else "PM")[: 1 if token == "a/p" else 2])  # noqa: PLR2004, S105
        elif letter == "h":
            found.append(f"{(hours % 12 or 12) if halves else hours % 24:0{width}d}")
        elif letter == "s":
            decimals = len(token.partition(".")[2])
            rest = seconds % 60
            found.append(f"{int(rest):0{len(token.partition('.')[0])}d}")
            if decimals:
                found.append(f"{rest % 1:.{decimals}f}"[1:])
        elif letter == "m" and (moment is None or _is_minutes(tokens, at)):
            found.append(f"{minutes % 60:0{width}d}")
        elif letter in "ymd" and moment is not None and letter:
            found.append(_part_of_date(letter, width, moment))
        else:
            found.append(token)
    return f"{'-' if total < 0 else ''}{' '.join(''.join(found).split())}"


def _is_minutes(tokens: list[str], at: int) -> bool:
    units = [(number, token.strip("[]")[:1]) for number, token in enumerate(tokens) if token.strip("[]")[:1] in "ymdhs"]
    units = [(number, letter) for number, letter in units if letter]
    own = next(order for order, (number, _) in enumerate(units) if number == at)
    before = units[own - 1][1] if own else ""
    after = units[own + 1][1] if own + 1 < len(units) else ""
    return before == "h" or after == "s"


def _part_of_date(letter: str, width: int, moment: datetime) -> str:
    if letter == "y":
        return f"{moment.year:04d}"  # also where two digits are shown: '24 is no year that anybody looks for
    if letter == "m":
        name = _MONTHS[moment.month - 1]
        return {1: str(moment.month), 2: f"{moment.month:02d}", 3: name[:3], 5: name[0]}.get(width, name)
    name = _DAYS[moment.weekday()]
    return {1: str(moment.day), 2: f"{moment.day:02d}", 3: name[:3]}.get(width, name)
