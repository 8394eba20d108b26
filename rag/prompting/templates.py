"""Templates: the prompt as a text file that users can read, copy and edit. A template never executes anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connectors.errors import ConfigurationError

DEFAULT_TEMPLATE = Path(__file__).with_name("prompt.txt")

_MOST_BYTES = 65_536
_SECTION = re.compile(r"===\s*(.*?)\s*===")
_VARIABLE = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")

# What each section may name; a star marks what it must.
_VARIABLES = {
    "system": "fence not_answered",
    "user": "*sources *question background demonstrations history",
    "source": "*fence *number *text title where context",
    "background": "*fence *text card",
    "demonstration": "*fence *question *answer",
    "history": "*fence *question *answer",
}
_DATA = frozenset({"title", "where", "context", "text", "card", "question", "answer"})


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a section: texts and variable names in alternation, with a text at both ends."""

    pieces: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    def says_nothing(self, values: Mapping[str, str]) -> bool:
        return bool(self.names) and not any(values[name] for name in self.names)

    def fill(self, values: Mapping[str, str]) -> str:
        """Filled in one pass: what a value holds is never read as a variable."""
        return "".join(values[piece] if odd % 2 else piece for odd, piece in enumerate(self.pieces))


@dataclass(frozen=True, slots=True)
class Template:
    """A checked prompt template; `render` fills one of its sections.

    Example:
        >>> values = {"fence": "data-1", "not_answered": "No."}
        >>> load_template().render("system", values).splitlines()[3]
        '- If the sources do not hold the answer, reply exactly: No.'
    """

    sections: Mapping[str, tuple[tuple[_Line, ...], ...]]

    def render(self, section: str, values: Mapping[str, str]) -> str:
        """The section with its variables filled in; lines and paragraphs that would say nothing are left out."""
        paragraphs = self.sections[section]
        whole = section == "user"
        kept = [
            [line for line in lines if whole or not line.says_nothing(values)]
            for lines in paragraphs
            if not (whole and _is_empty(lines, values))
        ]
        return "\n\n".join("\n".join(line.fill(values) for line in lines) for lines in kept if lines)

    def names(self, section: str) -> frozenset[str]:
        """The variables that the section uses."""
        return frozenset(name for lines in self.sections[section] for line in lines for name in line.names)


def _is_empty(lines: Sequence[_Line], values: Mapping[str, str]) -> bool:
    names = [name for line in lines for name in line.names]
    return bool(names) and not any(values[name] for name in names)


def load_template(path: str | Path | None = None) -> Template:
    """The template in the file at `path`, by default the one that comes with the program.

    Raises:
        ConfigurationError: it cannot be read, is too large, or a section or variable in it is unknown or missing. The
            message has the variable's name and the line.
    """
    return _default() if path is None else _load(Path(path).expanduser())


@cache
def _default() -> Template:
    return _load(DEFAULT_TEMPLATE)


def _load(path: Path) -> Template:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the template {str(path)!r} cannot be read: {error}", hint=f"copy {DEFAULT_TEMPLATE} and change the copy"
        ) from error
    if len(data) > _MOST_BYTES:
        raise ConfigurationError(
            f"the template {str(path)!r} has more than {_MOST_BYTES:,} bytes", hint="keep the prompt to a page or two"
        )
    return parse_template(text, str(path))


def parse_template(text: str, name: str = "template") -> Template:
    """The template that `text` is; `name` is what errors call it.

    Raises:
        ConfigurationError: as `load_template`.
    """
    sections: dict[str, list[list[_Line]]] = {}
    current: list[list[_Line]] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}, line {number}"
        if heading := _SECTION.fullmatch(line.strip()):
            if heading[1] not in _VARIABLES or heading[1] in sections:
                problem = "twice" if heading[1] in sections else "unknown"
                raise ConfigurationError(f"{where}: section {heading[1]!r} is {problem}", hint=_hint(_VARIABLES))
            current = sections[heading[1]] = [[]]
            section = heading[1]
        elif current is not None and line.strip():
            current[-1].append(_parse(line, section, where))
        elif current is not None and current[-1]:
            current.append([])
    template = Template(
        {section: tuple(tuple(lines) for lines in found if lines) for section, found in sections.items()}
    )
    _check(template, name)
    return template


def _parse(line: str, section: str, where: str) -> _Line:
    known = [name.lstrip("*") for name in _VARIABLES[section].split()]
    pieces, done = [""], 0
    for match in _VARIABLE.finditer(line):
        pieces[-1] += line[done : match.start()]
        done = match.end()
        if match[1] is None:
            if len(match[0]) == 1:
                raise ConfigurationError(f"{where}: a single {match[0]!r}", hint="write {{ or }} for the sign itself")
            pieces[-1] += match[0][0]
        elif match[1] in known:
            pieces += [match[1], ""]
        else:
            raise ConfigurationError(f"{where}: unknown variable {match[1]!r} in {section!r}", hint=_hint(known))
    pieces[-1] += line[done:]
    return _Line(tuple(pieces))


def _check(template: Template, name: str) -> None:
    for section, variables in _VARIABLES.items():
        if section not in template.sections:
            raise ConfigurationError(f"{name}: no section {section!r}", hint=f"begin it with: === {section} ===")
        used = template.names(section)
        for variable in variables.split():
            if variable.startswith("*") and variable[1:] not in used:
                raise ConfigurationError(
                    f"{name}: section {section!r} lacks the variable {variable[1:]!r}",
                    hint=f"put {{{variable[1:]}}} where it belongs",
                )
        if "fence" in used and section != "system":
            _check_fence(template, section, name)


def _check_fence(template: Template, section: str, name: str) -> None:
    """Data must stand between a tag that opens and one that closes: outside, it would read as the program's own."""
    flat = "\n".join(
        "".join(f"{{{piece}}}" if odd % 2 else piece for odd, piece in enumerate(line.pieces))
        for lines in template.sections[section]
        for line in lines
    )
    opened, closed = flat.find("<{fence}"), flat.rfind("</{fence}>")
    inside = [flat.index(f"{{{variable}}}") for variable in template.names(section) & _DATA]
    last = [flat.rindex(f"{{{variable}}}") for variable in template.names(section) & _DATA]
    if not 0 <= opened < min(inside) <= max(last) < closed:
        raise ConfigurationError(
            f"{name}: section {section!r} does not keep its text between <{{fence}}> and </{{fence}}>",
            hint="what a document says must not look like what you say",
        )


def _hint(names: Sequence[str] | Mapping[str, str]) -> str:
    return f"there are: {', '.join(names)}"
