import dataclasses

import numpy as np
import pytest
from pages import Page
from tables import result

from hyperspy_clusterquant.plotting.style import MASK_COLOUR, NOISE_COLOUR, cluster_colours
from hyperspy_clusterquant.results.cluster_html import chosen, thumbnail_of


def test_it_says_what_was_set_and_chosen():
    of = result(
        2,
        parameters={
            "n_clusters": "auto", "n_clusters_found": 3, "binning_used": 2, "seed": 7,
            "neighbourhood_used": 1.5, "exclude_lines": ["C", "Cu_Ka"], "energy_range": [0.5, 10.0],
            "navigation_mask": "auto", "n_components_found": 2, "something": "else",
        },
    )  # fmt: skip
    assert chosen(of) == (
        "workflow pca_gmm; number of clusters: 3 found ('auto'); components above noise: 2; "
        "learned in bins of 2; labels pooled over 1.5 pixels; energies (keV): 0.5 to 10.0; "
        "not looked at: C, Cu_Ka; seed: 7"
    )


def test_a_number_that_was_told_is_that():
    assert "number of clusters: 4;" in chosen(result(2, parameters={"n_clusters": 4, "seed": 0}))
    assert chosen(result(2)) == "workflow pca_gmm"


def test_the_thumbnail_says_what_it_shows(clustered):
    (image,) = Page(thumbnail_of(clustered.clusters["pca_gmm"], 64)).named("img")
    assert (image["width"], image["height"]) == ("64", "56")
    assert image["alt"] == "map of the clusters"


def test_a_notebook_shows_names_with_their_colours(clustered):
    names = ["<script>alert(1)</script>", "b", "c", "d"]
    of = clustered.clusters["pca_gmm"].rename(names)
    page = Page(of._repr_html_())
    assert [row[0] for row in page.tables[0][1:5]] == names
    styles = [own["style"] for own in page.named("span")]
    for style, colour in zip(styles, cluster_colours(4), strict=False):
        assert f"background:{colour}" in style
    assert page.named("script") == []
    assert np.shape(page.named("img")) == (1,)


@pytest.mark.parametrize(("workflow", "word"), [("pca_gmm", "noise"), ("by hand", "in none")])
def test_pixels_in_no_cluster_and_left_out_have_their_colours(workflow, word):
    """Whatever the clusters are called."""
    of = dataclasses.replace(result(3), workflow=workflow).rename(["noise", "in none", "left out"])
    page = Page(of._repr_html_())
    assert [row[0] for row in page.tables[0][1:]] == [*of.cluster_names, word, "left out"]
    colours = [*cluster_colours(3), NOISE_COLOUR, MASK_COLOUR]
    styles = [own["style"] for own in page.named("span")]
    for style, colour in zip(styles, colours, strict=True):
        assert f"background:{colour}" in style
