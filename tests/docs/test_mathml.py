"""Equations of the documentation as MathML."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("latex2mathml")
pytest.importorskip("sphinx")
DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not here")


def equations():
    """All that stands between dollars in a page, outside of code."""
    found = []
    for page in sorted(DOCS.glob("*.md")):
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text("utf8"), flags=re.M | re.S)
        found += re.findall(r"\$\$(.+?)\$\$|(?<!\$)\$([^$]+?)\$(?!\$)", text, flags=re.S)
    return [block or inline for block, inline in found]


def test_every_equation_is_understood():
    from latex2mathml.converter import convert

    latex = equations()
    assert len(latex) > 50
    for one in latex:
        drawn = "".join(ElementTree.fromstring(convert(one)).itertext())
        # commands that are not known would be shown as they are written
        assert "\\" not in drawn, one


def test_a_fraction_is_a_fraction(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    from docutils import nodes
    from mathml import visit_block

    class Page:
        body = []

        def starttag(self, node, tag, **attributes):
            return f"<{tag}>"

    node = nodes.math_block("", r"\frac{x}{2}", number=None)
    with pytest.raises(nodes.SkipNode):
        visit_block(Page(), node)
    tree = ElementTree.fromstring("".join(Page.body))
    fraction = next(part for part in tree.iter() if part.tag.endswith("mfrac"))
    assert [part.text for part in fraction.iter() if part.text] == ["x", "2"]
    sys.modules.pop("mathml", None)
