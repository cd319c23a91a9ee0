import numpy as np
import pytest
import samples

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.composition.phases import LineAreas
from hyperspy_clusterquant.composition.purity import Impurity, impurities

ELEMENTS = ("Cr", "Fe", "Ni", "Ti", "V")
#: Atoms for one count of each line.
PER_COUNT = np.array([1.0, 1.1, 1.3, 0.8, 0.9])
#: Compositions in atoms.
MATRIX = np.array([0.2, 0.7, 0.1, 0.0, 0.0])
CARBIDE = np.array([0.1, 0.0, 0.0, 0.7, 0.2])
NICKEL = np.array([0.0, 0.05, 0.9, 0.05, 0.0])
VANADIUM = np.array([0.05, 0.0, 0.05, 0.1, 0.8])
SIZE = 24


def line_areas(rng, *compositions, counts=1e5, background=500.0):
    """Areas of lines with the noise of their counts, and of a background beneath them."""
    areas = np.array(compositions, dtype=float) / PER_COUNT
    areas *= np.broadcast_to(counts, len(areas))[:, None] / areas.sum(axis=1, keepdims=True)
    covariance = np.zeros((*areas.shape, *areas.shape))
    for k, n in np.ndindex(areas.shape):
        covariance[k, n, k, n] = areas[k, n] + background
    std = np.sqrt(areas + background)
    names = tuple(f"phase {k}" for k in range(len(areas)))
    return LineAreas(names, ELEMENTS, areas + std * rng.normal(size=areas.shape), covariance)


def scattered(n):
    """Pixels of all phases beside those of all others, so that none lies in one other."""
    return np.random.default_rng(0).integers(0, n, (SIZE, SIZE))


def of(lines, labels=None, clusters=None):
    n = len(lines.names)
    labels = scattered(n) if labels is None else labels
    clusters = range(n) if clusters is None else clusters
    return impurities(lines, PER_COUNT, labels, clusters)


# --- mixtures of two others -----------------------------------------------------------------


@pytest.mark.parametrize("share", [0.6, 0.85, 0.15])
@pytest.mark.parametrize("seed", range(5))
def test_a_mixture_of_two_others_is_called_that(share, seed):
    mixture = share * MATRIX + (1 - share) * CARBIDE
    lines = line_areas(
        np.random.default_rng(seed), MATRIX, mixture, CARBIDE, NICKEL, counts=[1e6, 1e5, 4e5, 2e5]
    )
    (found,) = of(lines)
    assert found.cluster == 1
    assert found.others == (0, 2)
    assert found.shares == pytest.approx((share, 1 - share), abs=0.05)


def test_shares_are_of_atoms_however_many_counts_there_are(rng):
    for counts in ([1e6, 1e4, 1e6], [1e4, 1e6, 1e5]):
        lines = line_areas(rng, MATRIX, 0.5 * MATRIX + 0.5 * CARBIDE, CARBIDE, counts=counts)
        (found,) = of(lines)
        assert found.shares == pytest.approx((0.5, 0.5), abs=0.05)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("counts", [3e3, 1e5, 3e6])
def test_phases_are_not_called_mixtures(seed, counts):
    """Neither of compositions of their own, nor the same one twice."""
    own = 0.55 * MATRIX + 0.35 * CARBIDE + 0.1 * VANADIUM
    for composition in (VANADIUM, MATRIX, own):
        lines = line_areas(
            np.random.default_rng(seed), MATRIX, composition, CARBIDE, NICKEL, counts=counts
        )
        # Of few counts, what there is little of is not seen.
        if composition is not own or counts > 1e4:
            assert of(lines) == []


def test_a_little_of_another_is_no_mixture(rng):
    lines = line_areas(rng, MATRIX, 0.96 * MATRIX + 0.04 * CARBIDE, CARBIDE, counts=1e6)
    assert of(lines) == []


def test_three_or_more_lines_are_needed(rng):
    """Any two-element composition lies between two others."""
    whole = line_areas(rng, MATRIX, 0.5 * MATRIX + 0.5 * CARBIDE, CARBIDE)
    two = LineAreas(
        whole.names, ("Fe", "Ti"), whole.areas[:, [1, 3]],
        whole.covariance[:, [1, 3]][..., [1, 3]],
    )  # fmt: skip
    assert impurities(two, PER_COUNT[[1, 3]], scattered(3), range(3)) == []


def test_the_best_of_the_pairs_is_told(rng):
    """All pairs that could be are compared."""
    mixture = 0.4 * NICKEL + 0.6 * VANADIUM
    lines = line_areas(rng, MATRIX, CARBIDE, NICKEL, VANADIUM, mixture, counts=3e5)
    (found,) = of(lines)
    assert (found.cluster, found.others) == (4, (2, 3))


def test_only_some_clusters_are_looked_at(rng):
    """Film and vacuum are none of them, and nothing is a mixture with them."""
    lines = line_areas(rng, MATRIX, 0.5 * MATRIX + 0.5 * CARBIDE, CARBIDE, NICKEL)
    assert [each.cluster for each in of(lines)] == [1]
    for clusters in ([0, 2, 3], [0, 1, 3], [1, 2, 3], []):
        assert of(lines, clusters=clusters) == []


def test_what_holds_nothing_is_not_looked_at(rng):
    lines = line_areas(rng, MATRIX, 0.5 * MATRIX + 0.5 * CARBIDE, CARBIDE, NICKEL)
    empty = LineAreas(
        (*lines.names, "empty"), ELEMENTS, np.vstack([lines.areas, np.zeros(5)]),
        np.pad(lines.covariance, [(0, 1), (0, 0)] * 2),
    )  # fmt: skip
    assert [each.cluster for each in of(empty)] == [1]


# --- in others ------------------------------------------------------------------------------


def inclusions(column=8):
    """A square of the second phase in the first, beside the third on the right."""
    labels = np.zeros((60, 60), dtype=int)
    labels[:, 40:] = 2
    labels[20:36, column : column + 16] = 1
    return labels


#: A carbide through 0.4 of the atoms of a foil.
IN_FOIL = 0.4 * CARBIDE + 0.6 * MATRIX


@pytest.mark.parametrize("seed", range(5))
def test_what_may_lie_in_another_is_led_to_embedded(seed):
    lines = line_areas(np.random.default_rng(seed), MATRIX, IN_FOIL, NICKEL, counts=[1e6, 1e5, 1e6])
    (found,) = of(lines, inclusions())
    assert found.cluster == 1
    assert found.others == (0,)
    assert found.border == pytest.approx(1.0)
    # It holds that much at least, and all of it may be iron of the matrix.
    assert 0.55 < found.shares[0] < 0.75


@pytest.mark.parametrize("column", [42, 28])
def test_one_that_does_not_touch_it_does_not_lie_in_it(column, rng):
    """It lies in a phase that it cannot hold, or with a part of its border."""
    lines = line_areas(rng, MATRIX, IN_FOIL, NICKEL, counts=[1e6, 1e5, 1e6])
    assert of(lines, inclusions(column)) == []


def test_a_phase_lies_in_none_that_is_smaller(rng):
    lines = line_areas(rng, MATRIX, IN_FOIL, NICKEL, counts=[1e5, 1e6, 1e6])
    labels = inclusions()
    labels[labels == 2] = 0
    assert [each.cluster for each in of(lines, labels)] == [1]
    assert of(lines, 1 - labels) == []


@pytest.mark.parametrize("element", ["Cr", "Fe"])
def test_what_lacks_an_element_of_its_host_is_none_of_it(element, rng):
    without = IN_FOIL.copy()
    without[ELEMENTS.index(element)] = 0.0
    lines = line_areas(rng, MATRIX, without, NICKEL, counts=[1e6, 1e5, 1e6])
    assert of(lines, inclusions()) == []


def test_what_holds_little_of_its_host_may_be_pure(rng):
    lines = line_areas(rng, MATRIX, 0.9 * CARBIDE + 0.1 * MATRIX, NICKEL, counts=[1e6, 1e5, 1e6])
    assert of(lines, inclusions()) == []


def test_a_mixture_with_another_phase_is_told_only_once(rng):
    """That its matrix is around it as well says nothing more."""
    lines = line_areas(rng, MATRIX, IN_FOIL, CARBIDE, counts=[1e6, 1e5, 1e6])
    (found,) = of(lines, inclusions())
    assert found.others == (0, 2)
    assert np.isnan(found.border)


# --- in words -------------------------------------------------------------------------------


def test_in_words():
    names = ("matrix", "MX", "border")
    mixture = Impurity(2, (0, 1), (0.604, 0.396)).in_words(names)
    assert mixture.startswith("border looks like a mixture of 60% of matrix and 40% of MX (in ato")
    host = Impurity(1, (0,), (0.57,), 0.98).in_words(names)
    assert host.startswith("MX may lie in matrix, with which it has 98% of its border: up to 57%")
    assert host.endswith("quantify with embedded={'MX': 'matrix'}")
    for text in (mixture, host):
        assert "\n" not in text


# --- end to end -----------------------------------------------------------------------------


def said(s, result):
    table = s.cluster_quantification(
        result, kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"]
    )
    of_purity = [text for text in table.remarks if "may lie in" in text or "looks like" in text]
    for text in of_purity:
        assert text in str(table)
        assert text in table.phase_remarks
    return of_purity


def test_precipitates_in_steel_are_told():
    s = samples.steel(size=64, channels=512)
    labels = np.asarray(s.metadata.Ground_truth.labels, dtype=int)
    memberships = (labels == np.arange(4)[:, None, None]).astype(float)
    result = ClusterResult(
        "true", "by hand", labels, memberships, np.zeros((labels.size, 1)), [2.0], 1.0,
        cluster_names=tuple(s.metadata.Ground_truth.phase_names),
    )  # fmt: skip
    found = said(s, result)
    assert len(found) == 3
    for text, name in zip(found, ("NbC", "MnS", "M23C6"), strict=True):
        assert text.startswith(f"{name} may lie in matrix")
        assert text.endswith(f"embedded={{{name!r}: 'matrix'}}")
    # Of what was said to lie in something, nothing more is said.
    table = s.cluster_quantification(
        result, kfactors=s.metadata.Ground_truth.kfactors, extra_elements=["C", "Au"],
        embedded={"NbC": "matrix"}, absent={"NbC": ["Fe"]},
    )  # fmt: skip
    left = [text for text in table.remarks if "may lie in" in text]
    assert [text.partition(" ")[0] for text in left] == ["MnS", "M23C6"]


@pytest.mark.parametrize("seed", [0, 1])
def test_of_phases_beside_each_other_nothing_is_said(seed):
    s = data.six_cation_sulfide(64, 512, seed=seed)
    assert said(s, s.cluster_pca_gmm(4)) == []


def test_a_mixed_zone_in_a_map_is_told():
    """Pixels that hold 60 % of one phase and 40 % of another, a cluster by hand."""
    phases = {
        "a": {"Cu": 30.0, "Fe": 20.0, "S": 50.0, "Zn": 0.0},
        "b": {"Cu": 0.0, "Fe": 10.0, "S": 50.0, "Zn": 40.0},
        "c": {"Cu": 0.0, "Fe": 60.0, "S": 40.0, "Zn": 0.0},
    }
    labels = np.repeat([0, 3, 1, 2], 12)[:, None] * np.ones(48, dtype=int)
    parts = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.4, 0]])
    s = samples.phantom(phases, parts.T[:, labels], labels, 200.0, 0, channels=512)
    memberships = (labels == np.arange(4)[:, None, None]).astype(float)
    result = ClusterResult(
        "zones", "by hand", labels, memberships, np.zeros((labels.size, 1)), [2.0], 1.0,
        cluster_names=("a", "b", "c", "zone"),
    )  # fmt: skip
    (text,) = said(s, result)
    # A phase gives as many counts as it is thick, but not as many atoms.
    truth, energy = s.metadata.Ground_truth, s.axes_manager.signal_axes[0].axis
    atoms = [
        part / data._line_spectrum(energy, energy[1] - energy[0], composition, 130.0).sum()
        for part, composition in zip((0.6, 0.4), phases.values(), strict=False)
    ]
    share = 100 * atoms[0] / sum(atoms)
    words = text.split()
    assert text.startswith("zone looks like a mixture of ")
    assert float(words[6].rstrip("%")) == pytest.approx(share, abs=3)
    assert float(words[10].rstrip("%")) == pytest.approx(100 - share, abs=3)
    assert words[8:10] == ["a", "and"]
    assert list(truth.phase_names) == list(phases)
