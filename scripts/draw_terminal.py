"""Draw `docs/terminal.svg`: what a few `rag` commands print over the handbook of `examples/`, in colour.

    python scripts/draw_terminal.py

The commands are run in a temporary folder and nothing they print is edited. Run this again when the output changes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "terminal.svg"
COLUMNS = 92
COMMANDS = (
    "rag index examples/handbook",
    'rag ask "How long do refunds take?"',
    'rag search "hotel in Zurich" -k 1',
)
THEME = TerminalTheme(
    (18, 24, 33),
    (214, 222, 235),
    [
        (18, 24, 33),
        (255, 107, 107),
        (126, 211, 145),
        (240, 200, 110),
        (122, 170, 255),
        (199, 146, 234),
        (110, 205, 214),
        (214, 222, 235),
    ],
)
# Rich's own format without its web font: GitHub loads nothing from inside a picture.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img"
    aria-label="A terminal: a folder is indexed, a question answered with its sources, and a PDF searched">
  <style>
    .{unique_id}-matrix {{
      font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
      font-size: {char_height}px; line-height: {line_height}px;
    }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
  </g>
</svg>
"""


def main() -> None:
    """Run the commands and write the picture."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(width=COLUMNS, record=True, force_terminal=True, file=nowhere)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "examples" / "handbook", Path(folder) / "examples" / "handbook")
            for command in COMMANDS:
                console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
                console.print(Text.from_ansi(printed(command, folder)), soft_wrap=True)
                console.print()
    console.save_svg(str(TARGET), title="rag", theme=THEME, code_format=FORMAT, unique_id="terminal")
    print(f"{TARGET}: {len(COMMANDS)} commands")


def printed(command: str, folder: str) -> str:
    """What the command writes to stdout on a terminal, with its colours."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    run = [sys.executable, "-c", "from cli.main import run; run()", *shlex.split(command)[1:]]
    done = subprocess.run(run, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\n")


if __name__ == "__main__":
    main()
