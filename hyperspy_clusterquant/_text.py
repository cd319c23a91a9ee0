"""Tables as text."""

from __future__ import annotations

import numpy as np


def p_text(p):
    """A p-value in few characters."""
    if not np.isfinite(p):
        return "-"
    return f"{p:.2g}" if p >= 1e-4 else "< 1e-4"


def in_columns(rows):
    """Rows of texts, the first the head, as lines in columns with rules."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return [lines[0], rule, *lines[1:], rule]
