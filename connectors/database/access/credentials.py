"""Database credentials: a password is used and forgotten; only where to find it again is stored."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from connectors import terminal
from connectors.errors import ConfigurationError, SourceError

Ask = Callable[[str], str | None]
"""Asks a person for the password of the database with this URI; None where nobody can answer."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|keyring:.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The user, and where to find the password.

    Attributes:
        user: the user's name, or `${NAME}` for the environment variable that has it.
        reference: `env:NAME`, `keyring:SERVICE`, or nothing.
        password: one that was typed: for this run only, never stored and never shown.
    """

    user: str = ""
    reference: str = ""
    password: str | None = field(default=None, repr=False)

    @classmethod
    def typed(cls, user: str, password: str | None) -> Credentials:
        """What an address says: `${NAME}` for a password refers to a variable.

        >>> Credentials.typed("ann", "${SHOP_PASSWORD}")
        Credentials(user='ann', reference='env:SHOP_PASSWORD')
        """
        variable = _VARIABLE.fullmatch(password or "")
        return cls(user, f"env:{variable[1]}") if variable else cls(user, password=password)

    def stored(self, user: str, reference: str) -> Credentials:
        """These, completed by what is stored of them; what was typed now counts more.

        Raises:
            ConfigurationError: the reference is none.
        """
        if reference and not _REFERENCE.fullmatch(reference):
            # Not quoted: it may be the password itself.
            raise ConfigurationError(
                "name the place of the password as env:NAME or keyring:SERVICE",
                hint="put the password into an environment variable, and name that",
            )
        kept = "" if self.password is not None else reference
        return replace(self, user=self.user or user, reference=self.reference or kept)

    def user_name(self, uri: str) -> str:
        """The user, looked up where only a variable is named.

        Raises:
            SourceError: the variable is not set.
        """
        return _VARIABLE.sub(lambda found: _from_environment(found[1], uri, "user"), self.user)

    def find_password(self, uri: str) -> str | None:
        """The password, from where it is; None where none is known and the driver may have its own means.

        Raises:
            SourceError: it is not where it should be.
            ConfigurationError: the keyring is not installed.
        """
        if self.password is not None:
            return self.password
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            return _from_environment(name, uri, "password")
        return _from_keyring(name, self.user_name(uri), uri) if kind == "keyring" else None


def ask_on_terminal(uri: str) -> str | None:
    """Ask whoever sits at the terminal; None where nobody does."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from getpass import getpass

    with terminal.around():
        return getpass(f"Password for {uri}: ", stream=sys.stderr)


def _from_environment(name: str, uri: str, what: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SourceError(
            f"{uri}: the environment variable {name}, which holds its {what}, is not set", hint=f"export {name}=…"
        )
    return value


def _from_keyring(service: str, user: str, uri: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ConfigurationError(
            f"{uri}: its password is in the keyring, which cannot be read without the package keyring",
            hint="install it: pip install 'pilotfish[databases]'",
        ) from None
    try:
        password = keyring.get_password(service, user)
    except KeyringError as error:
        reason = str(error).partition(".")[0] or type(error).__name__
        raise SourceError(f"{uri}: the keyring cannot be read: {reason}", hint="unlock it, or set one up") from None
    if password is None:
        raise SourceError(
            f"{uri}: the keyring has no password of {user!r} for {service!r}", hint=f"keyring set {service} {user}"
        )
    return password
