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
    assert "cluster 0 - cluster 2  < 1e-4  6.1  20 ± 0.7      distinct, but an" in repr(table)
    assert "merged: cluster 2 with cluster 1 (between them)" in repr(table)


def test_one_cluster_has_nothing_to_compare():
    table = tables.significance(1)
    assert "one cluster, nothing to compare" in repr(table)
    assert table.verdicts.tolist() == [[""]]
    assert len(table.to_dataframe()) == 0
    ax = table.plot()
    assert not ax.texts
    ax.figure.canvas.draw()
