from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.errors import SourceError
from connectors.files import FileSource
from connectors.source import Added, Changed, Event, Failed, KnownDocument, Removed, Source, Unchanged
from tests.connectors.samples import make

AN_HOUR_AGO = time.time() - 3600


def write(path: Path, content: str | bytes, when: float = AN_HOUR_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (when, when))
    return path


def listed(source: FileSource, known: Mapping[str, KnownDocument] | None = None) -> dict[str, Event]:
    events = list(source.events(known or {}))
    by_uri = {event.document.uri if isinstance(event, Added | Changed) else event.uri: event for event in events}
    assert len(by_uri) == len(events), "one event per document"
    return by_uri


def remember(events: Mapping[str, Event], known: Mapping[str, KnownDocument] | None = None) -> dict[str, KnownDocument]:
    """What a knowledge base would know after these events."""
    after = dict(known or {})
    for uri, event in events.items():
        if isinstance(event, Added | Changed):
            after[uri] = KnownDocument(event.document.revision, event.stamp)
        elif isinstance(event, Unchanged):
            after[uri] = KnownDocument(after[uri].revision, event.stamp)
        elif isinstance(event, Removed):
            del after[uri]
    return after


def kinds(events: Mapping[str, Event]) -> dict[str, type[Event]]:
    return {Path(uri).name: type(event) for uri, event in events.items()}


def test_a_folder_becomes_documents(tmp_path: Path) -> None:
    write(tmp_path / "guide.md", "# Fish\n\nText.\n")
    write(tmp_path / "sub/plain.TXT", "words")
    source = FileSource(tmp_path)
    assert isinstance(source, Source)
    assert source.uri == str(tmp_path)
    assert source.size_hint() == 2
    guide, plain = (event.document for event in listed(source).values() if isinstance(event, Added))
    assert (guide.uri, guide.title, guide.context, guide.kind) == (f"{tmp_path}/guide.md", "Fish", "Fish", "markdown")
    assert (plain.title, plain.context) == ("plain.TXT", "")
    modified = time.strftime("%Y-%m-%d", time.gmtime(AN_HOUR_AGO))
    assert dict(plain.metadata) == {
        "filename": "plain.TXT",
        "extension": "txt",
        "folder": "sub",
        "modified": modified,
        "size": 5,
    }
    assert guide.metadata["folder"] == "."


def test_a_second_look_reads_nothing_that_is_unchanged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", "one")
    source = FileSource(tmp_path)
    known = remember(listed(source))
    path.chmod(0)  # whoever tries to read it now fails, unless he is root
    assert kinds(listed(source, known)) == {"a.md": Unchanged}


def test_changes_additions_and_removals_are_told(tmp_path: Path) -> None:
    for name in ("same.md", "edited.md", "gone.md", "touched.md"):
        write(tmp_path / name, f"text of {name}")
    source = FileSource(tmp_path)
    known = remember(listed(source))
    write(tmp_path / "edited.md", "other text")
    (tmp_path / "gone.md").unlink()
    write(tmp_path / "touched.md", "text of touched.md", AN_HOUR_AGO + 60)
    write(tmp_path / "new.md", "new")
    events = listed(source, known)
    assert kinds(events) == {
        "same.md": Unchanged,
        "edited.md": Changed,
        "gone.md": Removed,
        "touched.md": Unchanged,
        "new.md": Added,
    }
    after = remember(events, known)
    assert after[f"{tmp_path}/touched.md"].stamp != known[f"{tmp_path}/touched.md"].stamp
    assert set(kinds(listed(source, after)).values()) == {Unchanged}


def test_a_renamed_file_is_one_removal_and_one_addition_with_the_same_chunks(tmp_path: Path) -> None:
    path = write(tmp_path / "old.txt", "the same words")
    before = listed(FileSource(tmp_path))
    path.rename(tmp_path / "new.txt")
    events = listed(FileSource(tmp_path), remember(before))
    assert kinds(events) == {"new.txt": Added, "old.txt": Removed}
    old, new = before[f"{tmp_path}/old.txt"], events[f"{tmp_path}/new.txt"]
    assert isinstance(old, Added)
    assert isinstance(new, Added)
    assert (new.document.text, new.document.context, new.document.revision) == (
        old.document.text,
        old.document.context,
        old.document.revision,
    )


def test_the_same_content_under_two_names_is_two_documents(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "same")
    os.link(write(tmp_path / "b.txt", "same"), tmp_path / "c.txt")
    assert kinds(listed(FileSource(tmp_path))) == {"a.txt": Added, "b.txt": Added, "c.txt": Added}


def test_a_file_that_may_still_be_changing_is_read_again_next_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one", time.time())
    source = FileSource(tmp_path)
    events = listed(source)
    event = events[str(path)]
    assert isinstance(event, Added)
    assert event.stamp == ""
    info = path.stat()
    path.write_text("two")
    os.utime(path, ns=(info.st_mtime_ns, info.st_mtime_ns))  # the same size within the same tick of the clock
    assert kinds(listed(source, remember(events))) == {"a.txt": Changed}


def test_an_empty_file_is_a_document_without_text_and_no_failure(tmp_path: Path) -> None:
    write(tmp_path / "empty.txt", "")
    event = listed(FileSource(tmp_path))[f"{tmp_path}/empty.txt"]
    assert isinstance(event, Added)
    assert (event.document.text, event.document.metadata["size"]) == ("", 0)


def test_bad_files_are_reported_by_name_and_the_run_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "corrupt.pdf", b"%PDF-1.4 nothing more")
    write(tmp_path / "secret.pdf", make.pdf([[("x", 11)]], encrypted=True))
    write(tmp_path / "bomb.docx", make.docx_zip_bomb())
    write(tmp_path / "odd.weird", bytes(range(256)) * 10)
    write(tmp_path / "latin.txt", b"caf\xe9 \xff ol\xe9")
    write(tmp_path / "large.txt", "x" * 2_000_000)
    write(tmp_path / "zz.md", "# Fine\n")
    events = listed(FileSource(tmp_path, max_bytes=1_000_000))
    assert kinds(events) == {
        "corrupt.pdf": Failed,
        "secret.pdf": Failed,
        "bomb.docx": Failed,
        "odd.weird": Failed,
        "latin.txt": Added,
        "large.txt": Failed,
        "zz.md": Added,
    }
    failures = {Path(uri).name: event for uri, event in events.items() if isinstance(event, Failed)}
    for name, reason in [("corrupt.pdf", "damaged"), ("secret.pdf", "encrypted"), ("bomb.docx", "zip bomb")]:
        assert reason in failures[name].error
    assert "1,000,000" in failures["large.txt"].error
    assert all(failure.hint for failure in failures.values())


def test_what_nobody_takes_for_a_document_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    image = b"\x89PNG\r\n\x1a\n" + bytes(100)
    write(tmp_path / "picture-without-extension", image)
    write(tmp_path / "program", b"\x7fELF" + bytes(100))
    write(tmp_path / "a.bundle", make.zipped({"x": "y"}))
    write(tmp_path / "was-text.dat", image)
    known = {f"{tmp_path}/was-text.dat": KnownDocument("old", "old")}
    assert kinds(listed(FileSource(tmp_path), known)) == {"was-text.dat": Removed}
    assert set(kinds(listed(FileSource(tmp_path, use_ignore=False))).values()) == {Failed}
    named = FileSource(tmp_path / "picture-without-extension")
    assert kinds(listed(named)) == {"picture-without-extension": Failed}


def test_a_file_that_disappears_is_reported_and_the_run_goes_on(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        write(tmp_path / name, name)
    events: Iterator[Event] = FileSource(tmp_path).events({f"{tmp_path}/b.txt": KnownDocument("x")})
    first = next(events)
    assert isinstance(first, Added)
    (tmp_path / "b.txt").unlink()
    second, third = events
    assert isinstance(second, Failed)
    assert second.uri == f"{tmp_path}/b.txt"
    assert "disappeared" in second.error
    assert isinstance(third, Added)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_folder_and_file_are_reported_and_keep_what_is_known_of_them() -> None:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, which nobody else may enter
        root = Path(name)
        root.chmod(0o755)
        write(root / "locked/a.txt", "a")
        write(root / "b.txt", "b")
        write(root / "secret.txt", "c")
        source = FileSource(root)
        known = remember(listed(source))
        (root / "locked").chmod(0)
        write(root / "secret.txt", "changed").chmod(0)
        with unprivileged():
            events = listed(source, known)
        assert kinds(events) == {"locked": Failed, "a.txt": Unchanged, "b.txt": Unchanged, "secret.txt": Failed}
        (root / "locked").chmod(0o755)


def test_a_folder_that_cannot_be_listed_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "b")
    folder = tmp_path / "sub"
    events = FileSource(tmp_path).events({f"{folder}/a.txt": KnownDocument("r", "s")})
    folder.mkdir()
    next(events)
    folder.rmdir()  # listed already, gone when its turn comes
    failed, unchanged = events
    assert isinstance(failed, Failed)
    assert (failed.uri, failed.error) == (str(folder), "disappeared during the run")
    assert unchanged == Unchanged(f"{folder}/a.txt")


def test_missing_paths_are_errors_except_a_deleted_file(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path / "nowhere/a.txt"):
        source = FileSource(path)
        assert source.size_hint() is None
        with pytest.raises(SourceError, match=r"nowhere.* does not exist") as caught:
            list(source.events({f"{path}/a.md": KnownDocument("x")}))
        assert caught.value.hint
    deleted = str(tmp_path / "deleted.txt")
    assert list(FileSource(deleted).events({deleted: KnownDocument("x")})) == [Removed(deleted)]


def test_symlink_loops_end_and_nothing_is_reported_twice(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "sub/a.txt", "a")
    (root / "sub/loop").symlink_to(root, target_is_directory=True)
    (root / "again").symlink_to(root / "sub", target_is_directory=True)
    (root / "0-alias.txt").symlink_to(root / "sub/a.txt")
    (root / "self").symlink_to(root / "self")
    (root / "broken").symlink_to(root / "nothing")
    assert set(listed(FileSource(root))) == {f"{root}/sub/a.txt"}


def test_links_out_of_the_folder_are_passed_over_unless_they_are_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "a.txt", "a")
    outside = write(tmp_path / "elsewhere/secret.txt", "b").parent
    (root / "linked").symlink_to(outside, target_is_directory=True)
    (root / "secret.txt").symlink_to(outside / "secret.txt")
    assert kinds(listed(FileSource(root))) == {"a.txt": Added}
    assert kinds(listed(FileSource(root / "linked"))) == {"secret.txt": Added}
    assert kinds(listed(FileSource(root / "secret.txt"))) == {"secret.txt": Added}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    write(tmp_path / "a.txt", "a")
    assert kinds(listed(FileSource(tmp_path))) == {"a.txt": Added}
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        list(FileSource(tmp_path / "pipe.txt").events({}))


def test_a_name_that_is_not_text_is_reported_in_a_form_that_is(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/na\xefve.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (event,) = listed(FileSource(tmp_path)).values()
    assert isinstance(event, Failed)
    assert event.uri.encode() == f"{tmp_path}/na\\xefve.txt".encode()
    assert event.hint == "rename it"


def test_a_single_file_is_a_source_whatever_the_ignore_list_says(tmp_path: Path) -> None:
    path = write(tmp_path / "build/package-lock.json", '{\n "a": 1\n}')
    source = FileSource(path)
    events = listed(source)
    event = events[str(path)]
    assert isinstance(event, Added)
    assert event.document.metadata["folder"] == "."
    assert kinds(listed(source, remember(events))) == {"package-lock.json": Unchanged}
