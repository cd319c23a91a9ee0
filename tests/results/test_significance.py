import numpy as np
import pytest
import tables

from hyperspy_clusterquant.evidence.verdicts import Verdict


def test_verdicts_as_kinds_and_in_words():
    only = np.full((3, 3, 2), 1e-7)
    only[0, 1, 0] = only[1, 0, 0] = 0.5
    table = tables.significance(element_p_values=only)
    assert table.verdicts[0].tolist() == [
        "", "distinct in Zn only", "distinct, but an interface",
    ]  # fmt: skip
    assert table.kinds[0].tolist() == [Verdict.ITSELF, Verdict.DISTINCT, Verdict.INTERFACE]
    assert type(table.verdicts[0, 1]) is str


def test_words_name_what_holds_none_of_the_elements():
    p = tables.pairs(3, 1e-8)
    p[0, 2] = p[2, 0] = np.nan
    table = tables.significance(adjusted_p_values=p, holds=np.array([False, True, True]))
    assert table.verdicts[0, 2] == "not comparable: none of the elements in cluster 0"
    assert table.verdicts[2, 0] == table.verdicts[0, 2]


def test_an_element_below_its_limit_in_both_is_not_what_they_differ_in():
    only = np.full((2, 2, 2), 1e-7)
    detected = np.array([[True, False], [True, False]])
    table = tables.significance(2, element_p_values=only, detected=detected)
    assert table.verdicts[0, 1] == "distinct in Cu only"
    detected[1, 1] = True  # there is some in one of the two
    table = tables.significance(2, element_p_values=only, detected=detected)
    assert table.verdicts[0, 1] == "distinct"


def test_effect_has_the_uncertainty_of_its_elements_together():
    """What one has more the other has less: of +10 -10 with errors of +-1, 10 +- 1."""
    table = tables.significance()
    assert table.effect_size[0, 1] == 10
    assert table.effect_size_std[0, 1] == 1
    alike = np.tile([[1.0, 1.0], [1.0, 1.0]], (3, 3, 1, 1))
    assert tables.significance(difference_covariance=alike).effect_size_std[0, 1] == 0
    np.testing.assert_array_equal(table.difference_std, 1)


def test_what_is_distinct_is_not_explained_by_counts():
    share = np.full(3, 1.0)
    assert "which is no chemistry" not in repr(tables.significance(explained_by_counts=share))
    same = tables.significance(adjusted_p_values=tables.pairs(3, 0.4), explained_by_counts=share)
    assert "100% of the separation from cluster 1, which is no chemistry" in repr(same)
    assert "distinct from" not in repr(same)


def test_clusters_by_number_or_name():
    p = tables.pairs(3, 1e-8)
    p[0, 1] = p[1, 0] = 0.3
    table = tables.significance(adjusted_p_values=p)
    renamed = table.result.rename({0: "core", 1: "shell"})
    table = tables.significance(adjusted_p_values=p, result=renamed)
    assert not table.is_distinct("core", "shell")
    assert table.is_distinct("core", 2)
    assert table.is_distinct(np.int64(2), "core")
    with pytest.raises(ValueError, match=r"no cluster 'rim' in the result 'a'.*0 \('core'\)"):
        table.is_distinct("core", "rim")
    with pytest.raises(ValueError, match="no cluster 3"):
        table.is_distinct(3, 0)
    with pytest.raises(TypeError, match=r"number \(int\) or name"):
        table.is_distinct(True, 0)


def test_a_pair_in_the_table_and_in_the_data_frame():
    table = tables.significance()
    row = table.to_dataframe().iloc[1]
    assert (row["first"], row["second"]) == ("cluster 0", "cluster 2")
    assert row["verdict"] == table.verdicts[0, 2]
    assert row["effect (at%)"] == table.effect_size[0, 2] == 20
    assert "cluster 0 - cluster 2  < 1e-4  6.1  20 ± 1        distinct, but an" in repr(table)
    assert "merged: cluster 2 with cluster 1 (between them)" in repr(table)


def test_one_cluster_has_nothing_to_compare():
    table = tables.significance(1)
    assert "one cluster, nothing to compare" in repr(table)
    assert table.verdicts.tolist() == [[""]]
    assert len(table.to_dataframe()) == 0
    ax = table.plot()
    assert not ax.texts
    ax.figure.canvas.draw()


def test_what_has_no_border_is_said_with_its_length():
    of = {"gradual_width": np.array([[np.nan, 20.0], [20.0, np.nan]])}
    table = tables.significance(2, **of)
    assert table.kinds[0, 1] is Verdict.GRADUAL
    names = table.cluster_names
    assert f"no border between {names[0]} and {names[1]}" in str(table)
    axis = table.result.axes[-1] if table.result.axes else {"scale": 1.0, "units": "pixels"}
    assert f"over about {20 * axis['scale']:.2g} {axis['units']}" in str(table)
    assert "no border" not in str(tables.significance(2))
    # Of what is not distinct, nothing is said.
    alike = tables.significance(2, **of, adjusted_p_values=np.full((2, 2), 0.5))
    assert "no border" not in str(alike)
