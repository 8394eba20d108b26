"""Detects secrets that must never be read: columns by name, values by format."""

from __future__ import annotations

import re
from itertools import pairwise

from connectors.database.structure.kinds import ColumnKind

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_WORDS = frozenset(
    {
        "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "token", "tokens",
        "hash", "hashed", "salt", "apikey", "credential", "credentials", "cvv", "cvc", "otp", "totp",
        "passwort", "kennwort", "contrasena", "motdepasse",
    }
)  # fmt: skip
_PAIRS = frozenset(
    {
        ("api", "key"), ("private", "key"), ("secret", "key"), ("access", "key"), ("encryption", "key"),
        ("signing", "key"), ("session", "id"), ("session", "key"), ("pass", "word"), ("pass", "phrase"),
        ("recovery", "code"), ("recovery", "codes"), ("backup", "codes"), ("security", "answer"),
    }
)  # fmt: skip
# Numbers and dates about a secret (`token_count`, `password_changed_at`) are none.
_HARMLESS = frozenset(
    {
        ColumnKind.INTEGER,
        ColumnKind.DECIMAL,
        ColumnKind.FLOAT,
        ColumnKind.BOOLEAN,
        ColumnKind.DATE,
        ColumnKind.DATETIME,
        ColumnKind.TIME,
    }
)
_VALUE = re.compile(
    r"\$(?:2[abxy]?\$\d\d|argon2(?:id|i|d)\$|scrypt\$|pbkdf2[\w-]*\$|[156]\$[./\w]|y\$)"  # password hashes
    r"|(?:pbkdf2_sha\d+|scrypt|argon2|bcrypt\w*)\$"
    r"|\{(?:SSHA|SHA|SMD5|CRYPT|BCRYPT)\d*\}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\."  # JSON web tokens
    r"|(?:sk|rk|pk)_(?:live|test)_\w{16,}|gh[pousr]_\w{30,}|github_pat_\w{20,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}\b|AIza[\w-]{35}"
)
_PRIVATE_KEY = "PRIVATE KEY-----"


def words_of(name: str) -> list[str]:
    """The words of the name of a column, in lower case.

    >>> words_of("SupportRepId"), words_of("unit_price2")
    (['support', 'rep', 'id'], ['unit', 'price', '2'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def looks_secret(name: str, kind: ColumnKind) -> bool:
    """Whether a column of this name is likely to hold passwords, tokens or what they are checked against.

    >>> looks_secret("PasswordHash", ColumnKind.TEXT), looks_secret("token_count", ColumnKind.INTEGER)
    (True, False)
    """
    words = words_of(name)
    is_named_so = not _WORDS.isdisjoint(words) or not _PAIRS.isdisjoint(pairwise(words))
    return is_named_so and (kind not in _HARMLESS or len(words) == 1)


def is_secret(value: str) -> bool:
    """Whether a value looks like a password's hash, a token or a private key, whatever its column is called.

    >>> is_secret("$2b$12$EixZaYVK1fsbw1ZfbX3OXe"), is_secret("$12 for two")
    (True, False)
    """
    return _VALUE.match(value) is not None or _PRIVATE_KEY in value
