"""Equations as MathML, which browsers draw themselves: no script, and nothing to fetch."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.math import get_node_equation_number


def visit_inline(self, node):
    """Equation in a line."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(convert(node.astext()) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node):
    """Equation in a line of its own."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append(convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode


def setup(app):
    """Make it the way of drawing equations."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
