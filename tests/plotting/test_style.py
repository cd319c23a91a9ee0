from hyperspy_clusterquant.plotting.style import cluster_colours, line_label


def test_many_clusters_have_colours():
    assert len(cluster_colours(30)) == 30


def test_names_of_lines():
    assert line_label("Ga_Ka") == "Ga Kα"
    assert line_label("Ag_La") == "Ag Lα"
