"""How much of each phase there is, on maps whose truth is known."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
import samples

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.clusters.labels import MASKED

NAMES = tuple(f"cluster {number}" for number in range(4))
KINDS = ("counts", "areas", "atoms")
OF_MAP = {"counts": "count_fraction", "areas": "area_fraction", "atoms": "atomic_fraction"}
MAPS = {
    "smooth domains": partial(data.six_cation_sulfide, 64, 512),
    "others": partial(data.six_cation_sulfide, 80, 512, seed=1),
    "grains": partial(samples.grains, 64, channels=512),
    "grains, more blurred": partial(samples.grains, 64, seed=1, width=1.5, channels=512),
}


def options(s):
    return {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}


def atoms_per_count(s):
    """Atoms of each phase for one of its counts, from the photons of its lines."""
    truth = s.metadata.Ground_truth
    energy = s.axes_manager.signal_axes[0].axis
    step = energy[1] - energy[0]
    return np.array([
        1 / data._line_spectrum(energy, step, dict(zip(truth.elements, of, strict=True)), 130).sum()
        for of in truth.compositions
    ])  # fmt: skip


def true_shares(s):
    """Of phases in counts, area and atoms of each pixel, before and after normalisation.

    A phase gives as many counts as it is thick, whatever its elements.
    """
    truth = s.metadata.Ground_truth
    amounts = {"areas": np.asarray(truth.fractions, dtype=float)}
    amounts["counts"] = amounts["areas"] * truth.thickness
    amounts["atoms"] = amounts["counts"] * atoms_per_count(s)[:, None, None]
    return amounts, {kind: of / np.maximum(of.sum(axis=0), 1e-300) for kind, of in amounts.items()}


def order_of(s, result):
    """The true phase of each cluster."""
    truth = np.asarray(s.metadata.Ground_truth.labels)
    order = [np.bincount(truth[(result.labels == k) & (truth >= 0)]).argmax() for k in range(4)]
    assert sorted(order) == [0, 1, 2, 3]
    return order


class Found:
    """A map, its clusters, their compositions and fractions."""

    def __init__(self, make):
        self.signal = make()
        self.result = self.signal.cluster_pca_gmm(4)
        self.table = self.signal.cluster_quantification(self.result, **options(self.signal))
        self.fractions = self.signal.phase_fractions(self.result, self.table)
        self.keep = self.result.labels != MASKED


@pytest.fixture(scope="module")
def made():
    """What was found in each map, looked for once."""
    return cache(lambda name: Found(MAPS[name]))


@pytest.fixture(scope="module", params=MAPS)
def each(request, made):
    return made(request.param)


@pytest.fixture(scope="module")
def found(made):
    return made("smooth domains")


def test_shares_of_the_map_are_true(each):
    amounts, _ = true_shares(each.signal)
    order = order_of(each.signal, each.result)
    for kind in KINDS:
        truth = amounts[kind][:, each.keep].sum(axis=1)[order]
        share, std = (getattr(each.fractions, OF_MAP[kind] + of) for of in ("", "_std"))
        error = share - truth / truth.sum()
        assert np.abs(error).max() < 0.01, kind
        assert (np.abs(error) < 4 * std).all(), kind
        assert std.max() < 0.01, kind


def test_shares_of_pixels_are_true(each):
    """Better than those that labels give, which no beam blurs."""
    _, truth = true_shares(each.signal)
    order = order_of(each.signal, each.result)
    for kind in KINDS:
        maps = getattr(each.fractions, kind)
        assert maps.dtype == np.float32
        assert np.isnan(maps[:, ~each.keep]).all()
        error = (maps - truth[kind][order])[:, each.keep]
        labels = each.result.labels[each.keep] == np.arange(4)[:, None]
        of_labels = labels - truth[kind][order][:, each.keep]
        assert np.sqrt(np.mean(error**2)) < 0.5 * np.sqrt(np.mean(of_labels**2)), kind


def test_sums_are_one(each):
    for kind in KINDS:
        maps = getattr(each.fractions, kind)[:, each.keep]
        assert maps.min() >= 0
        np.testing.assert_allclose(maps.sum(axis=0), 1, rtol=1e-5)
        assert getattr(each.fractions, OF_MAP[kind]).sum() == pytest.approx(1, abs=1e-6)


def sum_spectrum(s, keep):
    """Of some pixels, as a single spectrum."""
    total = s.inav[0, 0].deepcopy()
    total.data = s.data[keep].sum(axis=0, dtype=int)
    return total


def test_all_phases_together_are_the_sum_spectrum(each):
    single = sum_spectrum(each.signal, each.keep).cluster_quantification(**options(each.signal))
    assert each.fractions.elements == single.elements
    difference = np.abs(each.fractions.bulk_percent - single.atomic_percent[0])
    # They are the same counts, so that they differ by less than two measurements would.
    assert (difference < single.std_counting[0]).all()
    assert (difference < each.fractions.bulk_std).all()
    assert each.fractions.bulk_percent.sum() == pytest.approx(100)
    # Shares that are uncertain add to what counts leave, but not much.
    ratio = each.fractions.bulk_std / single.std_counting[0]
    assert (ratio > 0.8).all()
    assert (ratio < 4).all()


def test_the_map_holds_what_its_truth_does(each):
    amounts, _ = true_shares(each.signal)
    truth = each.signal.metadata.Ground_truth
    total = amounts["atoms"][:, each.keep].sum(axis=1) @ truth.compositions
    order = np.argsort(truth.elements)
    error = each.fractions.bulk_percent - 100 * (total / total.sum())[order]
    assert (np.abs(error) < 4 * each.fractions.bulk_std).all()


def test_images_are_like_the_map(found):
    for kind in KINDS:
        stack = found.fractions.maps(kind)
        assert stack.axes_manager.navigation_shape == (4,)
        for axis, of_map in zip(
            stack.axes_manager.signal_axes, found.signal.axes_manager.navigation_axes, strict=True
        ):
            for what in ("name", "scale", "offset", "units", "size"):
                assert getattr(axis, what) == getattr(of_map, what)
    assert found.fractions.names == found.result.cluster_names == NAMES


def test_newest_result_and_names(found):
    without = found.signal.phase_fractions()
    for name in (found.result.name, found.result):
        assert found.signal.phase_fractions(name) == without
    assert without.atoms is without.bulk_percent is without.atomic_fraction is None
    np.testing.assert_array_equal(without.counts, found.fractions.counts)
    with pytest.raises(ValueError, match="Shares in atoms need the compositions of the phases"):
        without.maps("atoms")


def test_a_line_scan_has_fractions(found):
    line = found.signal.inav[:, 30]
    fractions = line.phase_fractions()
    kept = line.clusters["pca_gmm"].labels != MASKED
    assert fractions.counts.shape == (4, 64)
    np.testing.assert_allclose(fractions.counts[:, kept].sum(axis=0), 1, rtol=1e-5)
    assert fractions.maps().axes_manager.signal_shape == (64,)


def test_pixels_in_no_cluster_are_a_phase_without_atoms(found):
    """One of the four phases, as it is left when its cluster is dropped."""
    s, order = found.signal, order_of(found.signal, found.result)
    noise = found.result.drop(3)
    table = s.cluster_quantification(noise, **options(s))
    fractions = s.phase_fractions(noise, table)
    assert fractions.names == (*noise.cluster_names, "in no cluster")
    amounts, _ = true_shares(s)
    for kind in ("counts", "areas"):
        truth = amounts[kind][:, found.keep].sum(axis=1)[order]
        share, std = (getattr(fractions, OF_MAP[kind] + of) for of in ("", "_std"))
        assert share.shape == std.shape == (4,)
        assert (np.abs(share - truth / truth.sum()) < 0.01).all()
        assert getattr(fractions, kind).shape == (4, 64, 64)
    assert fractions.atoms.shape == (3, 64, 64)
    truth = amounts["atoms"][:, found.keep].sum(axis=1)[order][:3]
    assert np.abs(fractions.atomic_fraction - truth / truth.sum()).max() < 0.01
    np.testing.assert_allclose(np.nansum(fractions.atoms, axis=0)[found.keep], 1, rtol=1e-5)
    assert "in no cluster" in repr(fractions)
    assert np.isnan(fractions.to_dataframe().loc["in no cluster", ("atoms", "%")])


@pytest.mark.parametrize("chunks", [(64, 64, 512), (7, 30, 100)])
def test_lazy_maps_have_the_same(found, chunks):
    lazy = found.signal.as_lazy()
    lazy.data = lazy.data.rechunk(chunks)
    fractions = lazy.phase_fractions(found.result, found.table)
    for name in ("counts", "areas", "atoms"):
        np.testing.assert_allclose(
            getattr(fractions, name), getattr(found.fractions, name), atol=1e-4
        )
    for name in (*OF_MAP.values(), "bulk_percent", "bulk_std"):
        np.testing.assert_allclose(
            getattr(fractions, name), getattr(found.fractions, name), rtol=1e-3, err_msg=name
        )


def test_told_in_the_names_of_the_clusters(found):
    named = found.result.rename({0: "host", 3: "rest"})
    with pytest.raises(ValueError, match=r"The table is of cluster 0, .* Quantify this res"):
        found.signal.phase_fractions(named, found.table)
    fractions = found.signal.phase_fractions(
        named, found.signal.cluster_quantification(named, **options(found.signal))
    )
    for text in (repr(fractions), fractions._repr_html_()):
        assert "% of atoms" in text
        assert "host" in text
        assert "The phases together hold Ag" in text
    frame = fractions.to_dataframe()
    assert list(frame.index) == ["host", "cluster 1", "cluster 2", "rest"]
    np.testing.assert_allclose(frame["atoms", "%"], 100 * found.fractions.atomic_fraction)


def test_tables_that_do_not_fit(found):
    s = found.signal
    with pytest.raises(ValueError, match="The table is of cluster 0, cluster 1, cluster 2, the re"):
        s.phase_fractions(found.result, replace(found.table, cluster_names=NAMES[:3]))
    table = s.cluster_quantification(found.result, weights="membership", **options(s))
    for weights in ("membership", "hard"):
        table = replace(table, weights=weights)
        with pytest.raises(ValueError, match=f"shows weights='{weights}'.*with weights='phase'"):
            s.phase_fractions(found.result, table)
    for wrong in ({}, found.table.to_dataframe(), "pca_gmm"):
        with pytest.raises(TypeError, match=r"`table` must be what s\.cluster_quantification ret"):
            s.phase_fractions(found.result, wrong)
    with pytest.raises((KeyError, ValueError), match="other"):
        s.phase_fractions("other")


# --- phases in others -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def steel():
    """Precipitates through a part of a foil, with their true labels."""
    s = samples.steel(size=64)
    labels = np.asarray(s.metadata.Ground_truth.labels, dtype=int)
    names = tuple(s.metadata.Ground_truth.phase_names)
    memberships = (labels == np.arange(4)[:, None, None]).astype(float)
    return s, ClusterResult(
        "true", "by hand", labels, memberships, np.zeros((labels.size, 1)), [2.0], 1.0,
        cluster_names=names,
    )  # fmt: skip


IN_MATRIX = {
    "embedded": {"NbC": "matrix", "MnS": "matrix"},
    "absent": {"NbC": ["Fe"], "MnS": ["Fe"]},
}


def test_what_is_taken_off_precipitates_is_counted_to_the_matrix(steel):
    s, result = steel
    known = s.cluster_quantification(result, **IN_MATRIX, **options(s))
    fractions = s.phase_fractions(result, known)
    amounts, _ = true_shares(s)
    truth = amounts["atoms"].sum(axis=(1, 2))
    truth /= truth.sum()
    for name in ("NbC", "MnS"):
        k = result.cluster_names.index(name)
        share, std = fractions.atomic_fraction[k], fractions.atomic_fraction_std[k]
        assert share == pytest.approx(truth[k], abs=4 * std)
        assert std < 0.05 * truth[k]
        # Pixels of it hold between 30 and 70 % of it, by depth.
        inside = s.metadata.Ground_truth.fractions[k] > 0.25
        assert np.median(fractions.atoms[0][inside]) > 0.4
    plain = s.phase_fractions(result, s.cluster_quantification(result, **options(s)))
    k = result.cluster_names.index("NbC")
    assert plain.atomic_fraction[k] > 1.5 * truth[k]
    # It is the map that it was before.
    np.testing.assert_array_equal(plain.counts, fractions.counts)
    np.testing.assert_allclose(fractions.atoms.sum(axis=0), 1, rtol=1e-5)
    single = sum_spectrum(s, result.labels >= 0).cluster_quantification(**options(s))
    for each in (plain, fractions):
        difference = np.abs(each.bulk_percent - single.atomic_percent[0])
        assert (difference < np.hypot(each.bulk_std, single.std_counting[0])).all()


def test_without_that_knowledge_pixels_are_taken_as_they_are(steel):
    s, result = steel
    unknown = s.cluster_quantification(result, embedded=IN_MATRIX["embedded"], **options(s))
    plain = s.cluster_quantification(result, **options(s))
    found, expected = (s.phase_fractions(result, table) for table in (unknown, plain))
    np.testing.assert_allclose(found.atomic_fraction, expected.atomic_fraction)


def test_a_table_of_another_result_is_refused():
    s = data.six_cation_sulfide(size=32, channels=512)
    known = {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    result = s.cluster_pca_gmm(n_clusters=4, name="one")
    table = s.cluster_quantification(result, **known)
    other = replace(result, labels=np.where(result.labels == 3, 0, result.labels))
    with pytest.raises(ValueError, match="it is of another result or map"):
        s.phase_fractions(other, table)
