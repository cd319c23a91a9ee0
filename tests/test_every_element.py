"""Every element from lithium to americium through everything: none may stop a workflow or a test.

The spectra are drawn from xraylib by `simulation`. Where it has no data of a line, there is none in
the map, but the element is declared all the same.
"""

import warnings
from functools import cache

import hyperspy.api as hs
import numpy as np
import pytest
import simulation
import xraylib

from hyperspy_clusterquant.xrays.profiles import element_profiles

ELEMENTS = [xraylib.AtomicNumberToSymbol(z) for z in range(3, 96)]
#: exspy's tables have no lines of them above 0.1 keV.
UNSEEN = {"Li", "Np", "Pu", "Am"}
#: xraylib has no data of its line, so there is no k-factor from theory.
WITHOUT_THEORY = {"Be"}
METALS = ("Cu", "Fe", "S")
#: Offset, step (keV) and channels of energy axes: to 10, 20, 40 keV; and as Velox', from below 0.
AXES = {
    "10 keV": (0.0, 0.02, 512),
    "20 keV": (0.0, 0.02, 1024),
    "40 keV": (0.0, 0.04, 1024),
    "from -0.25 keV": (-0.25, 0.02, 1024),
    "from 0.3 keV": (0.3, 0.02, 1000),
}
#: How much of the elements is in the halves of a map, in units of the mean.
VARIATION = {"strong": (1.6, 0.4), "weak": (1.04, 0.96)}
#: Counts of a pixel.
DOSE = 400


def channels(axis):
    offset, step, n = AXES[axis]
    return offset + step * np.arange(n)


@cache
def photons(element):
    """Energy (keV) and relative photons of the lines of all shells, at 200 keV."""
    found = []
    for shell in "KLM":
        try:
            found += simulation.lines(element, shell).values()
        except ValueError:  # xraylib has no edge
            continue
    return np.array([line for line in found if line[0] > 0.05]).reshape(-1, 2)


@cache
def spectrum(element, axis):
    """All lines of an element on an axis; they sum to one if there are any."""
    energy = channels(axis)
    total = np.zeros(len(energy))
    for centre, strength in photons(element):
        sigma = np.sqrt(max(130.0**2 + 2500 * (centre - 5.8987), 1600)) / 2354.8
        total += strength / sigma * np.exp(-0.5 * ((energy - centre) / sigma) ** 2)
    return total / max(total.sum(), 1e-12)


def drawn(
    elements, variation, axis="20 keV", beam_energy=200.0, others=METALS, shape=(10, 12), seed=0
):
    """A map whose left and right half differ in some elements, beside others."""
    rng = np.random.default_rng(seed)
    energy = channels(axis)
    matrix = sum(spectrum(element, axis) for element in others)
    own = sum(spectrum(element, axis) for element in elements)
    kramers = np.where(energy > 0.15, 1 / np.maximum(energy, 0.15), 0.0)
    rest = 0.15 * kramers / kramers.sum() + 0.03 * spectrum("C", axis)
    left, right = (
        0.5 * matrix / matrix.sum() + 0.3 * amount * own / max(own.sum(), 1e-12) + rest
        for amount in VARIATION[variation]
    )
    mean = np.where((np.arange(shape[1]) < shape[1] // 2)[:, None], left, right)
    thickness = np.exp(0.2 * rng.standard_normal(shape))
    counts = rng.poisson(DOSE * thickness[..., None] * mean)
    s = hs.signals.Signal1D(counts.astype(np.uint16))
    s.set_signal_type("EDS_TEM_clustered")
    signal_axis = s.axes_manager.signal_axes[0]
    signal_axis.offset, signal_axis.scale, signal_axis.units = *AXES[axis][:2], "keV"
    s.set_microscope_parameters(beam_energy=beam_energy, energy_resolution_MnKa=130.0)
    return s


def told(call):
    """What a call gives, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = call()
    # No overflow and no division by zero.
    assert not [w for w in caught if issubclass(w.category, RuntimeWarning)]
    return outcome, [str(w.message) for w in caught if w.category is UserWarning]


def named(messages, words):
    """Elements that the one warning with some words names; empty without one."""
    found = [message for message in messages if words in message]
    assert len(found) <= 1
    return set(found[0].partition(": ")[2].partition(". ")[0].split(", ")) if found else set()


def cluster(s):
    """Both workflows, and two clusters to go on with; the result of the first."""
    assert told(lambda: s.cluster_umap_hdbscan(n_landmarks=100))[0].n_clusters >= 1
    result, messages = told(s.cluster_pca_gmm)
    assert result.n_clusters >= 1
    # Who has no line anywhere is no news before lines are asked for.
    assert named(messages, "needs X-ray lines") <= set(s.metadata.Sample.elements)
    told(lambda: s.cluster_pca_gmm(2, n_components=1, name="two"))
    return result


def measure(s, extra=("C",)):
    """Composition and tests, of which none stops; the composition, and its warnings."""
    options = {"extra_elements": extra, "thin_film": True}
    table, messages = told(lambda: s.cluster_quantification("two", **options))
    assert np.isfinite(table.intensities).all()
    assert (table.intensities_std > 0).all()
    np.testing.assert_allclose(table.atomic_percent.sum(axis=1), 100)
    assert np.isfinite(table.std).all()
    tested, _ = told(lambda: s.cluster_significance("two", 1, **options))
    assert set(tested.elements) <= set(table.elements)
    mapped, _ = told(lambda: s.map_significance(extra_elements=extra))
    assert len(mapped.xray_lines) >= 2
    return table, messages


# --- all of them, a few together --------------------------------------------------------------


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("beam_energy", [200.0, 80.0, 15.0])
def test_profiles_of_every_element(axis, beam_energy):
    for element in ELEMENTS:
        profiles = element_profiles(channels(axis), [element], beam_energy, 130.0)
        assert np.isfinite(profiles).all()
        assert (profiles >= 0).all()


@pytest.mark.parametrize("first", range(12))
def test_every_element_beside_others(first):
    """Eight elements at a time, twelve apart in the table."""
    elements = [e for e in ELEMENTS[first::12] if e not in METALS]
    unseen = UNSEEN & set(elements)
    weak = drawn(elements, "weak")
    weak.set_elements([*elements, *METALS])
    cluster(weak)
    s = drawn(elements, "strong")
    s.set_elements([*elements, *METALS])
    result = cluster(s)
    left, right = result.labels[:, :6], result.labels[:, 6:]
    assert np.mean(left == np.median(left)) > 0.95
    assert np.median(left) != np.median(right)
    table, messages = measure(s)
    assert named(messages, "needs X-ray lines") == unseen
    assert named(messages, "not quantified") == WITHOUT_THEORY & set(elements)
    assert set(table.elements) == {*elements, *METALS} - unseen - WITHOUT_THEORY


# --- each of them -----------------------------------------------------------------------------


def refused(s, message):
    """Composition and tests are refused, each for the same reason."""
    for call in (s.cluster_quantification, s.cluster_significance):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=message):
                call("two", thin_film=True)


@pytest.mark.slow
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("variation", VARIATION)
def test_alone(element, variation):
    s = drawn([element], variation)
    s.set_elements([element])
    cluster(s)
    refused(s, "needs at least two elements")


@pytest.mark.slow
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(("variation", "other"), [("weak", "S"), ("strong", "U")])
def test_in_pairs(element, variation, other):
    other = "Cu" if element == other else other
    s = drawn([element], variation, others=[other])
    s.set_elements([element, other])
    cluster(s)
    if element in UNSEEN:
        refused(s, f"only {other} can be quantified.*line of {element} lies")
    elif element in WITHOUT_THEORY:
        refused(s, f"no theoretical k-factor for {element}_Ka.*give its k-factor")
        mapped, _ = told(s.map_significance)
        assert f"{element}_Ka" in mapped.xray_lines
    else:
        assert set(measure(s)[0].elements) == {element, other}


@pytest.mark.slow
@pytest.mark.parametrize("element", ELEMENTS)
def test_as_extra(element):
    s = drawn([element], "strong")
    s.set_elements(list(METALS))
    cluster(s)
    extra = ("C", element)
    table, messages = measure(s, extra)
    assert table.elements == tuple(sorted(METALS))
    assert named(messages, "needs X-ray lines") == UNSEEN & {element}


@pytest.mark.slow
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(
    ("axis", "beam_energy"),
    [
        ("10 keV", 200.0),
        ("40 keV", 80.0),
        ("from 0.3 keV", 300.0),
        ("from -0.25 keV", 15.0),
    ],
)
def test_axes_and_beams(element, axis, beam_energy):
    """Nothing that is declared gets lost without a word."""
    s = drawn([element], "strong", axis, beam_energy)
    s.set_elements([element, *METALS] if element not in METALS else list(METALS))
    cluster(s)
    table, messages = measure(s)
    left_out = named(messages, "needs X-ray lines") | named(messages, "not quantified")
    assert left_out <= {element, "C"}
    assert set(table.elements) == {element, *METALS} - left_out
