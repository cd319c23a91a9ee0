import re

import numpy as np
import pytest
import simulation
from samples import blurred, learned, phantom, rare_grains
from scipy import ndimage
from sklearn.metrics import adjusted_rand_score

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.departures import (
    _reached,
    directions_of,
    is_known,
    line_directions,
    strongest_departure,
)

# --- what is known ----------------------------------------------------------------------------


def three_phases(rng, n=40):
    shares = rng.gamma(0.6, 1.0, (4, n)) + 0.05
    shares /= shares.sum(axis=1, keepdims=True)
    return shares[:3], shares[3]


def subspace_of(shares):
    mean = shares.mean(axis=0)
    return np.linalg.svd((shares - mean) / np.sqrt(mean), full_matrices=False)[2][:-1].T


NOBODY = np.zeros(3), np.zeros(3)
ALL = np.zeros(3), np.ones(3)


def test_counts_of_clusters_and_of_two_that_overlap_are_known(rng):
    """At most one in 10^4 is not: none of 600."""
    shares, foreign = three_phases(rng)
    subspace = subspace_of(np.vstack([shares, foreign]))
    contents = [*np.eye(3), (0.5, 0.5, 0), (0.25, 0, 0.75)]
    for content in contents:
        for _ in range(120):
            assert is_known(
                rng.poisson(500 * (np.array(content) @ shares)), shares, subspace, *NOBODY
            )


def test_new_compositions_are_not_known(rng):
    shares, foreign = three_phases(rng)
    subspace = subspace_of(np.vstack([shares, foreign]))
    for _ in range(50):
        counts = rng.poisson(500 * foreign)
        assert not is_known(counts, shares, subspace, *NOBODY)
        # Nor are they a mixture of those around.
        assert not is_known(counts, shares, subspace, *ALL)


def test_mixtures_of_three_are_known_only_where_these_are_near(rng):
    shares, foreign = three_phases(rng)
    subspace = subspace_of(np.vstack([shares, foreign]))
    mixed = np.array([0.34, 0.33, 0.33]) @ shares
    for _ in range(50):
        counts = rng.poisson(3000 * mixed)
        assert not is_known(counts, shares, subspace, *NOBODY)
        assert not is_known(counts, shares, subspace, np.zeros(3), np.array([1, 1, 0]))
        assert is_known(counts, shares, subspace, *ALL)


def test_what_must_be_of_a_cluster_is_no_mixture_of_others(rng):
    """Borders in a place leave open where they are, not what lies far from them."""
    shares, foreign = three_phases(rng)
    subspace = subspace_of(np.vstack([shares, foreign]))
    mixed = np.array([0.34, 0.33, 0.33]) @ shares
    for _ in range(50):
        counts = rng.poisson(3000 * mixed)
        assert not is_known(
            counts, shares, subspace, np.array([0.7, 0, 0]), np.array([1, 0.3, 0.3])
        )
        assert is_known(counts, shares, subspace, np.array([0.2, 0, 0]), np.array([1, 0.5, 0.5]))


def test_mixtures_have_no_negative_shares(rng):
    """On the line through two clusters, but beyond them."""
    shares = np.array([[0.4, 0.4, 0.2], [0.3, 0.3, 0.4]])
    beyond = 1.8 * shares[0] - 0.8 * shares[1]
    subspace = subspace_of(shares)
    for _ in range(50):
        assert not is_known(rng.poisson(4000 * beyond), shares, subspace, np.zeros(2), np.ones(2))


def test_what_differs_in_directions_that_do_not_count_is_known(rng):
    shares, foreign = three_phases(rng)
    without = subspace_of(shares)
    # The part of the difference that does not lie in what the clusters differ in.
    mean = shares.mean(axis=0)
    away = (foreign - shares[0]) / np.sqrt(mean)
    away -= without @ (without.T @ away)
    counts = 500 * np.maximum(shares[0] + 0.1 * np.sqrt(mean) * away, 0)
    assert is_known(counts, shares, without, *NOBODY)


def test_nothing_is_known_without_clusters():
    assert not is_known(np.ones(5), np.zeros((0, 5)), np.eye(5)[:, :2], np.zeros(0), np.zeros(0))


# --- on maps ----------------------------------------------------------------------------------


WORKFLOWS = ["cluster_pca_gmm", "cluster_umap_hdbscan"]
ALLOY = {"Cu": 50.0, "N": 0.0, "Ni": 50.0, "Ti": 0.0}


def alloy(inside, other, counts, seed, width=0.5):
    """Cu50Ni50 with places of another composition, in a foil of uneven thickness."""
    rng = np.random.default_rng([seed, 5])
    field = ndimage.gaussian_filter(rng.standard_normal(inside.shape), 6, mode="wrap")
    thickness = 100 * np.exp(0.3 * field / field.std())
    phases = {"host": ALLOY, "place": ALLOY | other}
    labels = inside.astype(int)
    signal = phantom(phases, blurred(labels, 2, width), labels, counts, seed, thickness)
    signal.set_elements(["Cu", "Ni"])
    return signal


def departure_of(signal, memberships=None, ignored=None):
    """The strongest departure; of one cluster, and looked for everywhere, if nothing is said."""
    learning, profiles = learned(signal, absorption="ignore")
    n_pixels = len(learning.pixels.totals)
    memberships = np.ones((n_pixels, 1)) if memberships is None else memberships
    ignored = np.zeros(n_pixels, bool) if ignored is None else ignored
    directions = directions_of(learning, profiles)
    return strongest_departure(learning, memberships, directions, ignored)


NOWHERE = np.zeros((40, 40), bool)


@pytest.mark.parametrize("counts", [4, 30, 200])
def test_homogeneous_maps_have_no_departure(counts):
    """By chance one in a hundred has, so one of twenty at most."""
    found = [departure_of(alloy(NOWHERE, {}, counts, seed)) for seed in range(20)]
    assert sum(each is not None for each in found) <= 1


@pytest.mark.parametrize(("counts", "fewest"), [(50, 5), (100, 10)])
def test_a_small_inclusion_is_a_departure(counts, fewest):
    """Twelve pixels of Cu70Ni30 in 48 x 48 of Cu50Ni50, ten times.

    Who knew place and spectra would see it at 6.7 standard deviations with 50 counts a pixel, and
    at 9.5 with 100; in a box of 4 x 4 pixels it is 6.0 and 8.4, and chance reaches 4.9.
    """
    inside = np.zeros((48, 48), bool)
    inside[20:24, 30:33] = True
    near = ndimage.binary_dilation(inside, iterations=4)
    signals = [alloy(inside, {"Cu": 70.0, "Ni": 30.0}, counts, seed) for seed in range(10)]
    departures = [each for each in map(departure_of, signals) if each is not None]
    assert len(departures) >= fewest
    places = np.array([departure.inside.reshape(48, 48) for departure in departures])
    assert min(departure.strength for departure in departures) > 1
    assert places[:, inside].mean() > 0.7
    # Noise is like it in some places: where it is as large as three standard deviations.
    assert places[:, ~near].mean() < 2e-3


@pytest.mark.parametrize(("element", "line"), [("N", 0.392), ("Ti", 4.511)])
def test_an_element_that_was_not_declared_is_a_departure(element, line):
    inside = np.zeros((40, 40), bool)
    inside[8:14, 20:26] = True
    near = ndimage.binary_dilation(inside, iterations=4)
    signal = alloy(inside, {"Cu": 42.0, "Ni": 42.0, element: 16.0}, 150, 0)
    departure = departure_of(signal)
    found = departure.inside.reshape(40, 40)
    assert found[inside].mean() > 0.7
    assert found[~near].mean() < 5e-3
    # What there is more of is its line.
    energy = signal.axes_manager.signal_axes[0].axis
    channels = learned(signal)[0].pixels.channels
    more = energy[channels == departure.direction.argmax()]
    assert np.abs(more - line).min() < 0.05


def test_what_clusters_explain_is_no_departure():
    """The same inclusion, as a cluster; and again where nobody looks."""
    inside = np.zeros((40, 40), bool)
    inside[10:20, 20:30] = True
    signal = alloy(inside, {"Cu": 70.0, "Ni": 30.0}, 60, 1)
    assert departure_of(signal) is not None
    both = np.stack([~inside, inside], axis=-1).reshape(-1, 2).astype(float)
    assert departure_of(signal, both) is None
    around = ndimage.binary_dilation(inside, iterations=3)
    hidden = ndimage.binary_dilation(around, iterations=40).ravel()
    assert departure_of(signal, ignored=hidden) is None


def test_directions_are_no_change_of_dose_and_no_nuisance():
    learning, profiles = learned(alloy(NOWHERE, {}, 100, 3), absorption="ignore")
    found = directions_of(learning, profiles)
    directions = found.columns
    root = np.sqrt(learning.reduction.share)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1)
    np.testing.assert_allclose(root @ directions, 0, atol=1e-9)
    np.testing.assert_allclose(learning.reduction.nuisance.T @ directions, 0, atol=1e-9)
    # Lines of copper and nickel, and bands all over the spectrum.
    assert found.n_components == learning.reduction.components.shape[1]
    assert found.n_expected == found.n_components + 2
    assert np.array_equal(found.expected.columns, directions[:, : found.n_expected])
    assert directions.shape[1] > 20


def test_lines_of_elements_are_directions():
    """What more copper brings lies in them, and what nitrogen brings does not."""
    learning, profiles = learned(alloy(NOWHERE, {}, 100, 3), absorption="ignore")
    lines = line_directions(learning, profiles)
    assert lines.shape[1] == 2
    np.testing.assert_allclose(lines.T @ lines, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(learning.reduction.nuisance.T @ lines, 0, atol=1e-9)
    root = np.sqrt(learning.reduction.share)
    energy, channels = learning.pixels.energy, learning.pixels.channels

    def inside(peak):
        used = channels >= 0
        change = np.bincount(channels[used], peak[used]) / root
        fixed = np.column_stack([root, learning.reduction.nuisance])
        change -= fixed @ (fixed.T @ change)
        return np.linalg.norm(lines.T @ change) / np.linalg.norm(change)

    assert inside(simulation.family(energy, "Cu", "K", 130.0)) > 0.9
    assert inside(simulation.family(energy, "N", "K", 130.0)) < 0.1


def with_titanium(side, percent, counts, seed=0):
    """A square of the alloy with some at% of titanium, which is not declared, and where it is."""
    inside = np.zeros((48, 48), bool)
    inside[8 : 8 + side, 20 : 20 + side] = True
    rest = (100.0 - percent) / 2
    other = {"Cu": rest, "Ni": rest, "Ti": float(percent)}
    return alloy(inside, other, counts, seed), inside


def remarks_of(signal, workflow):
    """The result of a workflow, and all that it says."""
    result = getattr(signal, workflow)(exclude_lines=["C"])
    return result, " ".join(result.parameters["remarks"])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_places_of_an_element_are_named_and_a_cluster_if_it_is_declared(workflow):
    """What was not declared may be film, grid or contamination."""
    signal, inside = with_titanium(6, 10, 50)
    unknown, remark = remarks_of(signal, workflow)
    assert unknown.n_clusters == 1
    assert "(Ti?)" in remark
    where = re.search(r"around \((\d+), (\d+)\)", remark).groups()
    assert np.hypot(int(where[0]) - 10.5, int(where[1]) - 22.5) < 3
    signal.add_elements(["Ti"])
    known, remark = remarks_of(signal, workflow)
    assert known.n_clusters == 2
    assert (known.labels[inside] == 1).mean() > 0.8
    assert (known.labels == 1).sum() < 1.6 * inside.sum()
    assert "declared elements" not in remark


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_component_that_was_not_declared_is_a_cluster_with_its_cause(workflow):
    """Where it makes none, because it is as small as a contamination, it is named all the same."""
    signal, inside = with_titanium(7, 20, 100)
    result, remark = remarks_of(signal, workflow)
    assert "(Ti?)" in remark
    if result.n_clusters == 1:
        assert "pixels around" in remark
        # Who asks for so small clusters has it.
        result = signal.cluster_umap_hdbscan(30, exclude_lines=["C"])
        remark = " ".join(result.parameters["remarks"])
    assert result.n_clusters == 2
    assert (result.labels[inside] == 1).mean() > 0.8
    assert "cluster 1" in remark
    assert "(Ti?)" in remark


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(3))
def test_what_is_named_is_not_lost_when_it_is_declared(seed):
    """A departure three times as strong as chance makes a cluster, or is named all the same."""
    signal, _ = with_titanium(4, 16, 100, seed)
    result, remark = remarks_of(signal, "cluster_pca_gmm")
    assert result.n_clusters == 2 or "(Ti?)" in remark
    signal.add_elements(["Ti"])
    result, remark = remarks_of(signal, "cluster_pca_gmm")
    assert result.n_clusters == 2 or "pixels around" in remark


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("counts", [50, 200])
def test_workflows_find_phases_of_two_and_one_percent(workflow, counts):
    s = rare_grains(counts)
    truth = np.asarray(s.metadata.Ground_truth.labels)
    sizes = np.bincount(truth.ravel())
    assert np.all(sizes[1:] < 0.025 * truth.size)
    result = getattr(s, workflow)(exclude_lines=["C"])
    assert result.n_clusters == 3
    for kind in range(3):
        inside = result.labels[truth == kind]
        found = result.labels == np.bincount(inside[inside >= 0]).argmax()
        overlap = (found & (truth == kind)).sum() / (found | (truth == kind)).sum()
        assert overlap > 0.75


@pytest.mark.parametrize("seed", [1, 7])
def test_film_below_soft_lines_makes_no_cluster(seed):
    """Carbon of the film, of which thin places hold more, lies where the M lines of silver do."""
    s = data.six_cation_sulfide(seed=seed)
    result = s.cluster_pca_gmm(show_progressbar=False)
    assert result.n_clusters == 4
    truth = np.asarray(s.metadata.Ground_truth.labels)
    kept = result.labels >= 0
    assert adjusted_rand_score(truth[kept], result.labels[kept]) > 0.9


def test_more_components_than_elements():
    """What is left of the components without film is fewer than there are components."""
    s = data.six_cation_sulfide(size=32, channels=512)
    s.set_elements(["Fe", "S"])
    s.set_lines(["Fe_Ka", "S_Ka"])
    for n_components in (3, 6):
        result = s.cluster_pca_gmm(n_components=n_components, show_progressbar=False)
        assert result.n_components == n_components


def test_noise_is_of_no_cluster_and_may_be_of_any():
    keep = np.ones((30, 60), dtype=bool)
    memberships = np.zeros((30, 60, 2))
    memberships[:, :10, 0] = memberships[:, 10:, 1] = 1
    memberships[10:20, 40:50] = 0
    reached = _reached(keep, memberships.reshape(-1, 2)).reshape(30, 60, 2)
    assert np.array_equal(reached[15, 38], [False, True])
    assert np.array_equal(reached[15, 41], [False, True])
    assert np.array_equal(reached[15, 45], [True, True])
    assert np.array_equal(reached[15, 11], [True, True])
