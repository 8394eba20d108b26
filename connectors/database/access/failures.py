"""Turns the errors of a database into messages without credentials, with a hint."""

from __future__ import annotations

import re

from sqlalchemy import exc

from connectors.database.access.address import DatabaseAddress, DatabaseDialect
from connectors.errors import SourceError

_LONGEST = 300  # characters of what a driver says
_MYSQL_PASSWORD = {1045, 1698}
_MYSQL_FORBIDDEN = {1044, 1142, 1143, 1227}
_MYSQL_UNKNOWN = 1049
_MYSQL_LOST = {2003, 2006, 2013, 2055, 4031}


class PasswordError(SourceError):
    """The server rejects this user with this password, or without one."""


class ServerUnreachableError(SourceError):
    """No server answers at the address, at least not now."""


def connection_error(address: DatabaseAddress, error: exc.DBAPIError, secrets: tuple[str, ...] = ()) -> SourceError:
    """Why a connection could not be made."""
    reason, uri = reason_of(error, secrets), address.uri
    code, low = _code(error), reason.lower()
    if code in _MYSQL_PASSWORD or re.search(r"password|authentication|role .* does not exist|no pg_hba", low):
        return PasswordError(f"{uri}: the server rejects the user or the password", hint=_login_hint(low))
    if code == _MYSQL_UNKNOWN or ("database" in low and "does not exist" in low):
        return SourceError(
            f"{uri}: there is no database {address.database!r} on this server", hint="check the name after the last /"
        )
    if re.search(r"not known|resolve|no address|name resolution|translate host", low):
        return ServerUnreachableError(f"{uri}: the host {address.host!r} is not known", hint="check its name")
    if "refused" in low or "no such file or directory" in low:
        where = f"{address.host}:{address.port}" if address.host else "the local socket"
        return ServerUnreachableError(
            f"{uri}: no server answers at {where}", hint="check the host, the port, and that the server runs"
        )
    if "timeout" in low or "timed out" in low:
        return too_slow(address)
    if address.dialect is DatabaseDialect.SQLITE:
        return _file_error(address, low, reason)
    return ServerUnreachableError(f"{uri}: no connection: {reason}", hint="check the address, and that the server runs")


def too_slow(address: DatabaseAddress) -> ServerUnreachableError:
    """A server that does not answer in time."""
    return ServerUnreachableError(
        f"{address.uri}: no answer in time from {address.host or 'the local socket'}",
        hint="check host, port and firewall, and that the server runs",
    )


def reading_error(error: exc.DBAPIError, secrets: tuple[str, ...] = ()) -> tuple[str, str]:
    """Why something could not be read, and what to do."""
    reason = reason_of(error, secrets)
    low = reason.lower()
    if is_lost(error):
        return f"the connection was lost: {reason}", "run the command again: it continues where it stopped"
    if "permission denied" in low or _code(error) in _MYSQL_FORBIDDEN:
        return reason, "let the user read it, or leave it out with --exclude-table"
    if "locked" in low:
        return reason, "another program holds the database: close it and try again"
    if "malformed" in low and "image" in low:
        return reason, "the file is damaged: restore it from a backup"
    return reason, "repair it, or leave it out with --exclude-table"


def is_lost(error: exc.DBAPIError) -> bool:
    """Whether the connection is gone, and another one may do better."""
    return bool(error.connection_invalidated) or _code(error) in _MYSQL_LOST


def reason_of(error: exc.DBAPIError, secrets: tuple[str, ...] = ()) -> str:
    """What the driver says, on one line, with every secret made unreadable."""
    said = error.orig.args[-1] if error.orig is not None and error.orig.args else error.orig
    text = " ".join(str(said).split())
    text = re.sub(r"^connection failed: |connection to server .*? failed: |FATAL:\s+", "", text)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text[:_LONGEST]


def _code(error: exc.DBAPIError) -> int | None:
    """The number of an error of MySQL; None for the others, who have none."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return first if isinstance(first, int) else None


def _login_hint(reason: str) -> str:
    if "no password supplied" in reason or "using password: no" in reason:
        return "say where to find the password: --password-env NAME, or '${NAME}' in the address"
    if "no pg_hba" in reason:
        return "the server does not admit this user from this host: ask its administrator"
    return "check the user and the stored password"


def _file_error(address: DatabaseAddress, low: str, reason: str) -> SourceError:
    if "not a database" in low:
        return SourceError(
            f"{address.database} is not an SQLite database", hint="index it as a file: leave out sqlite://"
        )
    if "locked" in low:
        return SourceError(f"{address.database} is locked", hint="another program writes to it: try again")
    return SourceError(f"{address.database} cannot be read: {reason}", hint="check the file and its permissions")
