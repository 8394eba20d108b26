"""Asks questions of a user at the terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

around: Callable[[], AbstractContextManager[None]] = nullcontext
"""Surrounds every question. Who draws on the terminal, a progress bar, sets it to what makes room meanwhile."""
