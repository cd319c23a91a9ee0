"""Pages of reports, read by the parser of Python's library."""

import base64
import json
from html.parser import HTMLParser

import numpy as np

VOID = {"br", "hr", "img", "input", "link", "meta"}
#: Attributes by which a browser loads something.
LOADING = ("src", "href", "srcset", "data", "poster", "action")


class Page(HTMLParser):
    """What is on a page; elements that are not closed in order are an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.tables = [], [], [], []
        self.contents = {}
        self.text = text
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.contents.setdefault(self.open[-1], []).append(data)
            return
        self.texts.append(data)
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data

    @property
    def words(self):
        return " ".join("".join(self.texts).split())

    @property
    def numbers(self):
        return json.loads(self.contents["script"][0])

    @property
    def labels(self):
        """Labels that the page's script shows, array (maps, rows, columns)."""
        of = self.numbers["map"]
        moved = np.frombuffer(base64.b64decode(of["labels"]), f"<u{of['bytes']}")
        return moved.astype(int).reshape(of["maps"], of["height"], of["width"]) - 2

    def named(self, tag, **attributes):
        """Attributes of the elements with a name and some attributes."""
        return [
            own for name, own in self.elements
            if name == tag and attributes.items() <= own.items()
        ]  # fmt: skip

    @property
    def loaded(self):
        """What a browser would load from elsewhere."""
        return [
            own[key]
            for tag, own in self.elements
            for key in LOADING
            if tag != "a" and key in own and not own[key].startswith("data:")
        ]
