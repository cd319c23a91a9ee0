"""What notebooks show: read back from the HTML, it is what the text says."""

from html.parser import HTMLParser

import numpy as np
import pytest
import tables

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant._text import in_html
from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours
from hyperspy_clusterquant.xrays.kfactors import KFactors

HOSTILE = "<script>alert('core & shell')</script>"


class Page(HTMLParser):
    """Paragraphs, tables, images and colours of a page; whatever is opened must be closed."""

    def __init__(self, text):
        super().__init__()
        self.paragraphs, self.tables, self._open = [], [], []
        self.images, self.colours = [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        tables = {"table", "thead", "tbody", "tr", "th", "td"}
        assert tag in {"p", "div", "span", "img", "figure", "figcaption", *tables}
        if tag == "img":
            self.images.append(dict(attrs))
            return
        self._open.append(tag)
        if tag == "span":
            self.colours.append(dict(attrs)["style"].split("background:")[1][:7])
        if tag == "p":
            self.paragraphs.append("")
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, text):
        if self._open and self._open[-1] == "p":
            self.paragraphs[-1] += text
        elif self._open and self._open[-1] in ("th", "td"):
            self.tables[-1][-1][-1] += text


def read(what):
    return Page(what._repr_html_())


def test_rows_and_lines():
    page = Page(in_html(["a < b", "", [("name", "n"), ("x & y", "3"), ("", "4")], "end"]))
    assert page.paragraphs == ["a < b", "end"]
    assert page.tables == [[["name", "n"], ["x & y", "3"], ["", "4"]]]


def test_clusters():
    result = tables.result(2, cluster_names=("core", HOSTILE), parameters={"remarks": [HOSTILE]})
    page = read(result)
    head, chosen, remark = page.paragraphs
    assert head == "'a': 2 clusters from 1 component, map (4, 6)"
    assert (chosen, remark) == ("workflow pca_gmm", HOSTILE)
    assert page.colours == [*cluster_colours(2), NOISE_COLOUR, MASK_COLOUR]
    assert len(page.images) == 1
    # 24 pixels, of which the first is left out and every third is noise.
    assert page.tables == [
        [
            ["cluster", "pixels", "share"],
            ["core", "8", "34.8%"],
            [HOSTILE, "8", "34.8%"],
            ["noise", "7", ""],
            ["left out", "1", ""],
        ]
    ]


def test_no_cluster():
    assert read(tables.result().drop([0, 1, 2])).tables == [
        [["cluster", "pixels", "share"], ["noise", "23", ""], ["left out", "1", ""]]
    ]


def test_results_of_a_map(clustered):
    clustered.keep_clusters(clustered.clusters["pca_gmm"].merge([0, 1]), name="<merged>")
    (rows,) = read(clustered.clusters).tables
    assert [row[1] for row in rows] == ["name", "pca_gmm", "<merged>"]
    assert [row[3] for row in rows] == ["clusters", "4", "3"]
    page = read(clustered.clusters)
    assert len(page.images) == 2
    assert page.paragraphs == ["'<merged>' is the newest, which methods take if none is named"]
    clustered.clusters.remove("pca_gmm", "<merged>")
    assert read(clustered.clusters).paragraphs == ["no clustering results"]


def test_kfactors():
    k = KFactors({"Fe_Ka": 1.45, "Pt_La": 5.0801}, {"Pt_La": 0.05}, {"Pt_La": "theory"})
    assert read(k).tables == [
        [
            ["line", "k-factor by weight", "relative uncertainty", "from"],
            ["Fe_Ka", "1.45", "not known", "given"],
            ["Pt_La", "5.08 ± 0.25", "5.0%", "theory"],
        ]
    ]
    assert len(read(KFactors({})).tables[0]) == 1


def test_comparison():
    a = np.array([0, 0, 0, 1, 1, 2, -1, -2])
    b = np.array([1, 1, 1, 0, 0, -1, -1, -2])
    comparison = compare_clusterings(a, b)
    page = read(comparison)
    assert page.paragraphs[0] in repr(comparison)
    assert page.tables == [
        [
            ["first clustering", "second clustering", "overlap"],
            ["cluster 0", "cluster 1", "1.00"],
            ["cluster 1", "cluster 0", "1.00"],
            ["cluster 2", "no match", "0.00"],
        ]
    ]


@pytest.mark.parametrize(
    ("make", "n_tables"),
    [(tables.significance, 2), (tables.line_maps, 1), (tables.stable, 1)],
    ids=["significance", "lines", "stability"],
)
def test_tables_show_what_their_text_says(make, n_tables):
    told = make()
    page, text = read(told), repr(told)
    assert len(page.tables) == n_tables
    words = [word for rows in page.tables for row in rows for word in row]
    assert all(word in text for word in [*words, *page.paragraphs])
    shown = " ".join([*words, *page.paragraphs])
    for line in text.splitlines():
        assert set(line) <= {"-"} or all(word in shown for word in line.split())


def test_names_of_clusters_are_no_html():
    names = ("core", HOSTILE, "film")
    of = tables.result(3, cluster_names=names)
    for told in (tables.significance(result=of), compare_clusterings(of, of)):
        assert "<script>" in repr(told)
        assert "<script>" not in told._repr_html_()
        assert any(HOSTILE in text for rows in read(told).tables for row in rows for text in row)
