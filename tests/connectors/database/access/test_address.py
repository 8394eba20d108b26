from __future__ import annotations

from pathlib import Path

import pytest

from connectors.database.access.address import DatabaseDialect, parse_address
from connectors.database.access.credentials import Credentials
from connectors.errors import ConfigurationError
from connectors.registry import is_database


@pytest.mark.parametrize(
    ("spec", "uri", "dialect"),
    [
        ("postgresql://db/shop", "postgresql://db/shop", DatabaseDialect.POSTGRESQL),
        ("postgres://ann:pw@db:5432/shop", "postgresql://db/shop", DatabaseDialect.POSTGRESQL),
        ("postgresql+psycopg://ann@db:6000/shop", "postgresql://db:6000/shop", DatabaseDialect.POSTGRESQL),
        ("POSTGRESQL://DB/shop?sslmode=require", "postgresql://db/shop", DatabaseDialect.POSTGRESQL),
        ("postgresql:///shop?host=/run/postgresql", "postgresql:///shop", DatabaseDialect.POSTGRESQL),
        ("mysql://ann@db/shop", "mysql://db/shop", DatabaseDialect.MYSQL),
        ("mariadb+pymysql://db:3306/Café%20au%20lait", "mariadb://db/Café au lait", DatabaseDialect.MYSQL),
        ("mariadb://[::1]:3307/shop", "mariadb://[::1]:3307/shop", DatabaseDialect.MYSQL),
        ("sqlite:////srv/a/../shop.db", "sqlite:////srv/shop.db", DatabaseDialect.SQLITE),
        ("sqlite:////srv/50%25 off%3F.db", "sqlite:////srv/50%25 off%3F.db", DatabaseDialect.SQLITE),
    ],
)
def test_a_public_uri_has_no_user_and_no_password_and_is_the_same_for_the_same_database(
    spec: str, uri: str, dialect: DatabaseDialect
) -> None:
    assert is_database(spec)
    address, _ = parse_address(spec)
    assert (address.uri, address.dialect) == (uri, dialect)
    assert parse_address(uri)[0].uri == uri


def test_a_relative_file_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address, _ = parse_address("sqlite:///data/shop.db")
    assert address.uri == f"sqlite:///{tmp_path}/data/shop.db"
    assert (address.database, address.name) == (f"{tmp_path}/data/shop.db", "shop")


@pytest.mark.parametrize(
    ("spec", "credentials"),
    [
        ("postgresql://db/shop", Credentials()),
        ("postgresql://ann@db/shop", Credentials("ann")),
        ("postgresql://ann:p%40ss@db/shop", Credentials("ann", password="p@ss")),
        ("postgresql://ann:p@ss@db/shop", Credentials("ann", password="p@ss")),
        ("postgresql://ann:${SHOP_PW}@db/shop", Credentials("ann", "env:SHOP_PW")),
        ("postgresql://db/shop?user=ann&password=pw", Credentials("ann", password="pw")),
    ],
)
def test_what_an_address_says_about_who_reads(spec: str, credentials: Credentials) -> None:
    address, given = parse_address(spec)
    assert given == credentials
    assert "pass" not in repr((address, given)).replace("password", "")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("oracle://db/shop", "oracle"),
        ("postgresql+asyncpg://db/shop", "asyncpg"),
        ("postgresql://ann:s3cret@db", "no database"),
        ("postgresql://ann:s3c/ret@db/shop", "escaped"),
        ("postgresql://ann:s3cret@[::1/shop", "host"),
        ("postgresql://ann:s3cret@db:port/shop", "port"),
        ("postgresql://ann:s3cret@db/shop?passwrd=s3cret", "passwrd"),
        ("mysql://ann:s3cret@db/shop?init_command=DROP", "init_command"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///shop.db?mode=rwc", "parameters"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_the_password(spec: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        parse_address(spec)
    assert caught.value.hint
    assert "s3c" not in str(caught.value) + caught.value.hint


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.database.access.address.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="psycopg") as caught:
        parse_address("postgresql://db/shop")[0].url()
    assert "pilotfish[databases]" in caught.value.hint
