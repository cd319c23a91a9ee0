import numpy as np
import pytest
import tables
from matplotlib.colors import to_rgba

from hyperspy_clusterquant import compare_clusterings
from hyperspy_clusterquant.evidence.verdicts import Verdict
from hyperspy_clusterquant.plotting import plot_pairs
from hyperspy_clusterquant.plotting.pairs import GROUPS


def test_pairs_of_clusters_say_how_much_they_differ(clustered):
    table = clustered.cluster_significance(n_splits=1)
    ax = table.plot()
    shown = {text.get_text() for text in ax.texts}
    assert len(ax.texts) == 12
    assert f"{table.effect_size[0, 1]:.2g} at%\np < 1e-4" in shown
    assert [t.get_text() for t in ax.get_yticklabels()] == list(table.cluster_names)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.ITSELF])
def test_every_verdict_has_a_colour_and_words(verdict):
    kinds = np.array([[Verdict.ITSELF, verdict], [verdict, Verdict.ITSELF]])
    ax = plot_pairs(kinds, tables.pairs(2, 20), tables.pairs(2, 0.01), ["core", "shell"])
    (group,) = [group for group in GROUPS if verdict in group[2]]
    image = ax.images[0]
    assert image.cmap(image.norm(image.get_array()))[0, 1] == pytest.approx(to_rgba(group[0]))
    assert image.get_array().mask.tolist() == [[True, False], [False, True]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [group[1]]
    compared = verdict not in (Verdict.LOST, Verdict.EMPTY)
    assert [text.get_text() for text in ax.texts] == ["20 at%\np 0.01"] * 2 * compared


def test_pair_without_a_difference_shows_its_p_value():
    kinds = np.array([[Verdict.ITSELF, Verdict.SAME], [Verdict.SAME, Verdict.ITSELF]])
    ax = plot_pairs(kinds, tables.pairs(2, np.nan), tables.pairs(2, 0.5), ["core", "shell"])
    assert ax.texts[0].get_text() == "p 0.5"


def test_contingency_table_and_where_two_clusterings_disagree(clustered):
    result = clustered.clusters["pca_gmm"]
    comparison = compare_clusterings(result, result.merge([0, 1]))
    table_ax, map_ax = comparison.plot()
    assert {t.get_text() for t in table_ax.texts} == set(map(str, comparison.contingency.ravel()))
    image = map_ax.images[0].get_array()
    assert np.array_equal(image == 1, comparison.disagreement == 1)


def test_correlations_of_lines(clustered):
    table = clustered.map_significance()
    ax = table.plot_correlations()
    position = [t.get_text() for t in ax.get_xticklabels()].index("Fe Kα")
    other = [t.get_text() for t in ax.get_yticklabels()].index("Cu Kα")
    written = f"{table.correlation[position, other]:+.2f}"
    assert any(t.get_text().startswith(written) for t in ax.texts)


def test_correlations_are_bold_where_they_are_significant():
    correlated = tables.line_maps()
    table = tables.line_maps(p_values=np.array([1e-9, 1e-9, 0.5, 0.5]))
    assert all(text.get_weight() == "bold" for text in correlated.plot_correlations().texts)
    texts = table.plot_correlations().texts
    assert sorted({text.get_text() for text in texts}) == ["+0.80\n+0.6 .. +1.0", "noise"]
    assert all((text.get_weight() == "bold") == (text.get_text() != "noise") for text in texts)
