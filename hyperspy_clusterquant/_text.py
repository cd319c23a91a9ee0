"""Tables as text, and as HTML for notebooks."""

from __future__ import annotations

import html

import numpy as np

#: Elements of HTML with nothing inside.
_VOID = ("br", "hr", "img", "input", "link", "meta")


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


class Markup(str):
    """What is HTML already. Every other text is escaped where it enters HTML."""

    __slots__ = ()


class Coloured(str):
    """A text on something that is drawn in colours, which HTML shows before it.

    Parameters
    ----------
    text : str
    *colours : str
        Such as ``"#0072B2"``.
    """

    def __new__(cls, text, *colours):
        made = super().__new__(cls, text)
        made.colours = colours
        return made


def escaped(text):
    """A text as HTML, unless it is that already; of `Coloured` ones, with their colours.

    Examples
    --------
    >>> escaped("a < b"), escaped(Markup("<b>a</b>"))
    ('a &lt; b', '<b>a</b>')
    """
    if isinstance(text, Markup):
        return text
    colours = "".join(swatch(colour) for colour in getattr(text, "colours", ()))
    return Markup(colours + html.escape(str(text)))


def tag(name, /, *inside, **attributes):
    """An element of HTML; what is inside and in its attributes is escaped.

    Parameters
    ----------
    name : str
    *inside : str or None
        Texts or `Markup`, one after the other; None is nothing.
    **attributes : str, int, bool or None
        ``class_`` stands for ``class``, other underscores for hyphens. None and False are left
        out, True stands alone.

    Examples
    --------
    >>> tag("p", "a & b", class_="note", data_number=1, hidden=True)
    '<p class="note" data-number="1" hidden>a &amp; b</p>'
    """
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escaped(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{said}>")
    content = "".join(escaped(part) for part in inside if part is not None)
    return Markup(f"<{name}{said}>{content}</{name}>")


def swatch(colour):
    """A small square of a colour, such as ``"#0072B2"``."""
    style = (
        f"display:inline-block;width:0.9em;height:0.9em;background:{colour};"
        "border:1px solid #555;vertical-align:-0.1em;margin-right:0.4em;print-color-adjust:exact"
    )
    return tag("span", style=style)


def beside(picture, parts):
    """A picture, which is HTML, with texts and tables to its right."""
    style = "display:flex;flex-wrap:wrap;gap:0 1.2em;align-items:flex-start"
    return tag("div", tag("div", picture), tag("div", in_html(parts)), style=style)


def in_html(parts):
    """Texts as paragraphs, rows of texts, the first the head, as tables: HTML for notebooks.

    Parameters
    ----------
    parts : iterable of str, or list of tuple of str
        A line of text each, or the rows of a table; `Markup` is taken as it is.

    Examples
    --------
    >>> in_html(["of <two>"])
    '<p>of &lt;two&gt;</p>'
    """
    return Markup("\n".join(map(_part_in_html, filter(None, parts))))


def _part_in_html(part):
    if isinstance(part, Markup):
        return part
    return tag("p", part) if isinstance(part, str) else _html_table(part)


def _html_table(rows):
    """Rows of texts as a table that notebooks draw like those of pandas."""

    def cells(kind, row):
        # Notebooks align all to the right, as numbers are.
        first, *others = row
        return tag(kind, first, style="text-align:left") + "".join(tag(kind, x) for x in others)

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
