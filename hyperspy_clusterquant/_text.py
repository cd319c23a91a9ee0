"""Tables as text, and as HTML for notebooks."""

from __future__ import annotations

import html

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


def in_html(parts):
    """Texts as paragraphs, rows of texts, the first the head, as tables: HTML for notebooks.

    Parameters
    ----------
    parts : iterable of str, or list of tuple of str
        A line of text each, or the rows of a table.

    Examples
    --------
    >>> in_html(["of <two>"])
    '<p>of &lt;two&gt;</p>'
    """
    return "\n".join(
        f"<p>{html.escape(part)}</p>" if isinstance(part, str) else _html_table(part)
        for part in parts
        if part
    )


def _html_table(rows):
    """Rows of texts as a table that notebooks draw like those of pandas."""

    def cells(kind, row):
        return "".join(f"<{kind}>{html.escape(text)}</{kind}>" for text in row)

    head, *body = rows
    lines = "".join(f"<tr>{cells('td', row)}</tr>\n" for row in body)
    return (
        '<table border="1" class="dataframe">\n'
        f"<thead><tr>{cells('th', head)}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>"
    )


class Told:
    """What an object tells of itself, as lines of text and as HTML in notebooks.

    Its `_told` gives the parts: a line of text each, or a list with the rows of a table.
    """

    def __repr__(self):
        lines = []
        for part in self._told():
            lines += [part] if isinstance(part, str) else in_columns(part)
        return "\n".join(lines)

    def _repr_html_(self):
        return in_html(self._told())
