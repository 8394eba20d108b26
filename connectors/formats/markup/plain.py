"""Text formats read line by line: plain text and source code."""

from __future__ import annotations
