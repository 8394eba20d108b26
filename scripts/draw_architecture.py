"""Draw `docs/architecture.svg`: the four rooms, and the floors of `rag/`.

    python scripts/draw_architecture.py

Names every folder that is drawn but is not there, and every folder that is there but is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "architecture.svg"

Box = tuple[str, str]  # a folder or a module, and what it does
Floor = tuple[Box, ...]

# From the top down. Each floor imports only what is below it.
ROOMS: dict[str, tuple[str, tuple[Floor, ...]]] = {
    "cli": ("what a person types", ((("verbs", "one file a verb"), ("output", "tables, bars, JSON")),)),
    "rag": (
        "decide, compose, answer",
        (
            (("evaluator.py", "evaluate()"), ("langchain.py", "retriever, loader, runnable")),
            (("knowledge_base.py", "the Python API"),),
            (("answering", "ask, chat, abstain"), ("tuning", "weights, calibration, threshold")),
            (("sql", "checked, read-only SQL"), ("cards", "small experts"), ("evaluation", "metrics, intervals")),
            (("verification", "citations and their support"),),
            (("llm", "the language model, a black box"),),
            (("prompting", "composer, budget, fences"),),
            (("searchable.py", "what cards and evaluation need of a knowledge base"),),
            (("status.py", "what is indexed"),),
            (("retrieval", "ranking, relevance, hits"),),
            (("query", "words, names and spelling of a question"), ("reranking", "heavier models order hits")),
            (
                ("text", "words, BM25"),
                ("timing.py", "times each step"),
                ("judging", "calibrated odds"),
                ("reader", "reads two texts"),
                ("indexing", "synchronises sources"),
            ),
            (("lazy.py", "imports what is asked for"),),
        ),
    ),
    "indexes": (
        "keep and find text",
        (
            (
                ("catalog", "the one truth"),
                ("sparse", "BM25, tantivy"),
                ("dense", "vectors, FAISS"),
                ("encoding", "the encoder"),
                ("terms", "words to terms"),
                ("doctor", "check, repair"),
            ),
        ),
    ),
    "connectors": (
        "get text in",
        (
            (
                ("folders", "files"),
                ("formats", "parsers"),
                ("database", "rows"),
                ("code", "syntax trees"),
                ("repository", "git"),
                ("chunking", "passages"),
            ),
        ),
    ),
}
COLOURS = {
    "cli": ("#eef2ff", "#6366f1"),
    "rag": ("#ecfdf5", "#059669"),
    "indexes": ("#fff7ed", "#ea580c"),
    "connectors": ("#f0f9ff", "#0284c7"),
}
FLOW = "source → Document → Chunk → index → Hit → Prompt → Answer"

WIDTH, MARGIN, SIDE = 960, 16, 46
HEAD, BOX, GAP = 34, 40, 6
STYLE = (
    "text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1f2937 }"
    " .name { font-size: 15px; font-weight: 600 } .what { font-size: 11.5px; fill: #4b5563 }"
    " .room { font-size: 17px; font-weight: 700 } .side { font-size: 13px; fill: #4b5563 }"
)


def main() -> None:
    """Write the picture, and say where it is not true."""
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET)
    for fault in faults():
        print(fault)


def picture() -> str:
    """The four rooms, as SVG."""
    parts: list[str] = []
    bottom = MARGIN
    for room, (what, floors) in ROOMS.items():
        height = HEAD + len(floors) * (BOX + GAP) + GAP
        parts += drawn(room, what, floors, bottom, height)
        bottom += height + GAP + 4
    middle = bottom / 2
    parts.append(side(MARGIN + 14, middle, f"data flows up:  {FLOW}", up=True, bottom=bottom))
    parts.append(side(WIDTH - MARGIN - 14, middle, "imports point down", up=False, bottom=bottom))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + MARGIN - 12}" role="img"'
        f' aria-label="Four rooms, cli above rag above indexes above connectors, and the floors of rag">\n'
        f"<style>{STYLE}</style>\n"
        '<rect width="100%" height="100%" rx="10" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def drawn(room: str, what: str, floors: tuple[Floor, ...], top: float, height: float) -> Iterator[str]:
    """A room with its floors."""
    fill, line = COLOURS[room]
    left, width = MARGIN + SIDE, WIDTH - 2 * (MARGIN + SIDE)
    yield (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="10" fill="{fill}" stroke="{line}"/>'
        f'<text class="room" x="{left + 14}" y="{top + 23}">{room}/ '
        f'<tspan class="what" dx="6">{escape(what)}</tspan></text>'
    )
    for row, floor in enumerate(floors):
        each = (width - 2 * 12 - (len(floor) - 1) * GAP) / len(floor)
        y = top + HEAD + row * (BOX + GAP)
        for column, (name, does) in enumerate(floor):
            x = left + 12 + column * (each + GAP)
            centre = x + each / 2
            yield (
                f'<rect x="{x:.1f}" y="{y}" width="{each:.1f}" height="{BOX}" rx="6" fill="#ffffff" stroke="{line}"/>'
                f'<text class="name" x="{centre:.1f}" y="{y + 17}" text-anchor="middle">{escape(name)}</text>'
                f'<text class="what" x="{centre:.1f}" y="{y + 32}" text-anchor="middle">{escape(does)}</text>'
            )


def side(x: float, middle: float, text: str, *, up: bool, bottom: float) -> str:
    """An arrow along one side, with words beside it."""
    start, end = (bottom - 14, MARGIN + 6) if up else (MARGIN + 6, bottom - 14)
    tip = 10 if up else -10
    beside = x + 20 if up else x - 12
    return (
        f'<path d="M{x} {start}V{end}m-6 {tip}l6 {-tip}l6 {tip}" fill="none" stroke="#6b7280" stroke-width="2"/>'
        f'<text class="side" text-anchor="middle" transform="translate({beside} {middle}) rotate(-90)">{text}</text>'
    )


def faults() -> Iterator[str]:
    """What the picture shows and is not there, and the other way round."""
    for room, (_, floors) in ROOMS.items():
        shown = {name for floor in floors for name, _ in floor}
        there = {path.name for path in (ROOT / room).iterdir() if path.is_dir() and (path / "__init__.py").exists()}
        yield from (
            f"{room}/{name} is drawn and not there" for name in sorted(shown) if not (ROOT / room / name).exists()
        )
        yield from (f"{room}/{name} is not drawn" for name in sorted(there - shown))


if __name__ == "__main__":
    main()
