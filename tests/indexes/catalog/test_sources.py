"""The hint that makes a knowledge base again: it opens every source as it was opened before."""

import shlex
from pathlib import Path

import pytest

from connectors.database.access.options import DatabaseOptions
from connectors.folders.document import DEFAULTS
from connectors.registry import open_source
from indexes.catalog.sources import FLAGS, SOURCES_FILE, rebuild_hint, remember_sources

IN_ADDRESS = {"user", "parameters"}
FOR_PYTHON = {"max_bytes"}


def commands(folder: Path, **sources) -> list[list[str]]:
    """The `rag index` commands of the hint, without `rag --kb FOLDER index`."""
    remember_sources(folder, sources, "default", keeps_tokens=True)
    move, *index = rebuild_hint(folder).partition("again: ")[2].split(" && ")
    assert shlex.split(move) == ["mv", str(folder), f"{folder}.damaged"]
    words = [shlex.split(each) for each in index]
    assert all(each[:4] == ["rag", "--kb", str(folder), "index"] for each in words)
    return [each[4:] for each in words]


def test_every_option_of_a_source_has_its_place():
    options = {*DEFAULTS, *DatabaseOptions.__dataclass_fields__}
    assert options == {*FLAGS, "password_from"} | IN_ADDRESS | FOR_PYTHON


def test_sources_without_options_share_a_command(tmp_path):
    assert commands(tmp_path, **{"/b c": {}, "/a": {}, "/d": {"exclude": ["*.log", "tmp/"], "use_ignore": False}}) == [
        ["/a", "/b c"],
        ["/d", "--exclude", "*.log", "--exclude", "tmp/", "--no-ignore"],
    ]


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ("postgresql://ann@db.example.org:5433/shop?sslmode=require&sslrootcert=/etc/a b.pem", {"tables": ["orders"]}),
        ("mariadb://${SHOP_USER}:${SHOP_PASSWORD}@localhost/shop", {}),
        ("mysql://a%40b@localhost/shop", {"password_from": "keyring:shop"}),
        ("sqlite:////srv/shop #1.db".replace("#", "%23"), {"query": "SELECT 'a' AS b", "key": ["b"], "name": "x y"}),
    ],
)
def test_an_address_opens_the_same_source_again(tmp_path, spec, given):
    source = open_source(spec, given)
    ((address, *flags),) = commands(tmp_path, **{source.uri: source.options})
    again = {name: value for name, value in source.options.items() if name not in IN_ADDRESS}
    reopened = open_source(address, again)
    assert (reopened.uri, reopened.options) == (source.uri, source.options)
    assert ("--password-env" in flags, "--password-keyring" in flags) == (
        "${SHOP_PASSWORD}" in spec,
        "password_from" in given,
    )


def test_a_password_is_not_written_down(tmp_path):
    source = open_source("postgresql://ann:Tr0ub4dor@localhost/shop")
    assert commands(tmp_path, **{source.uri: source.options}) == [["postgresql://ann@localhost/shop"]]
    assert "Tr0ub4dor" not in (tmp_path / SOURCES_FILE).read_text()


def test_the_kind_of_knowledge_base_is_that_of_the_first_command(tmp_path):
    sources = {"/a": {}, "/b": {"vendored": True}}
    remember_sources(tmp_path, sources, "models/e5", keeps_tokens=False)
    first, second = rebuild_hint(tmp_path).split(" && ")[1:]
    assert first.endswith("index --encoder models/e5 --no-late /a")
    assert second.endswith("index /b --vendored")
