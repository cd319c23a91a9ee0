"""How right the compositions of phases are, on many phantoms; slow, run by make test-all."""

import numpy as np
import pytest
import samples

from hyperspy_clusterquant import data
from hyperspy_clusterquant.composition.compose import atomic_percent
from hyperspy_clusterquant.composition.intensities import measure
from hyperspy_clusterquant.signals.axes import counts_of
from hyperspy_clusterquant.signals.options import read_choice

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Total counts alone"),
    pytest.mark.filterwarnings("ignore:.*clusters hold no pixel"),
    pytest.mark.filterwarnings("ignore:Nothing varies"),
]

EXTRA = ("C", "Au")


def quantified(s, result, **options):
    """With exact k-factors."""
    return s.cluster_quantification(
        result, kfactors=s.metadata.Ground_truth.kfactors, extra_elements=EXTRA, **options
    )


@pytest.mark.parametrize(("counts", "largest"), [(180, 0.12), (60, 0.18), (20, 0.3)])
def test_phases_of_the_six_cation_sulfide(counts, largest):
    """Errors, and how often the truth lies within one and two of the stated ones."""
    errors, z = [], []
    for seed in range(3):
        s = data.six_cation_sulfide(128, 1024, counts, seed)
        result = s.cluster_pca_gmm(4)
        table, truth = quantified(s, result), samples.truth_of(s, result)
        error = table.atomic_percent - truth
        errors.append(error)
        z.append((error / np.hypot(table.std_counting, table.std_mixing))[truth > 1])
    rms, z = np.sqrt(np.mean(np.square(errors))), np.abs(np.concatenate(z))
    print(f"{counts} counts: rms {rms:.3f} at%, within 1 std {np.mean(z < 1):.2f}, within 2 "
          f"{np.mean(z < 2):.2f}")  # fmt: skip
    assert rms < largest
    assert 0.55 < np.mean(z < 1) < 0.8
    assert np.mean(z < 2) > 0.9


def held(s, result):
    """What the pixels hold, weighted by their memberships, from the truth, in at%."""
    truth = s.metadata.Ground_truth
    energy = s.axes_manager.signal_axes[0].axis
    step = energy[1] - energy[0]
    # A phase gives as many counts as it is thick, whatever its elements: so many atoms it has.
    atoms = [
        1 / data._line_spectrum(energy, step, dict(zip(truth.elements, of, strict=True)), 130).sum()
        for of in truth.compositions
    ]
    amounts = np.einsum(
        "kyx,pyx,yx,p->kp", result.memberships, truth.fractions, truth.thickness, atoms
    )
    composition = amounts @ np.asarray(truth.compositions)
    return 100 * composition / composition.sum(axis=1, keepdims=True)


def plain_z(s, result, expected):
    """Deviation of the plain sums of the counts, in their standard deviations."""
    sums = s.get_cluster_spectra(result, "membership")
    choice = read_choice(s, None, EXTRA)
    measured = measure(
        counts_of(sums), counts_of(sums.metadata.Signal.Noise_properties.variance), choice
    )
    z = []
    for areas, covariance, of in zip(measured.areas, measured.covariances, expected, strict=True):
        percent, covariance = atomic_percent(
            areas, covariance, measured.lines, s.metadata.Ground_truth.kfactors
        )
        z.append((percent - of) / np.sqrt(np.diag(covariance)))
    return np.array(z)


def test_sums_do_not_show_the_selection_of_pixels_by_their_counts():
    """Maps of one or two phases, of which two or four are told."""
    found, plain = [], []
    for contrast in (0, 4, 10, 20):
        for counts in (3, 20, 60):
            before = len(found)
            for told in (2, 4):
                for seed in range(4):
                    s = samples.two_phases(contrast, counts, seed)
                    result = s.cluster_pca_gmm(told, n_components=1 if contrast == 0 else "auto")
                    table = quantified(s, result, weights="membership")
                    expected = held(s, result)
                    z = (table.atomic_percent - expected) / table.std_counting
                    found.append(z.ravel())
                    plain.append(plain_z(s, result, expected).ravel())
            own, other = (
                np.sqrt(np.nanmean(np.square(np.concatenate(of[before:])))) for of in (found, plain)
            )
            print(f"+{contrast} at%, {counts} counts: {own:.2f} std, plain sums {other:.2f}")
    found, plain = np.concatenate(found), np.concatenate(plain)
    rms, of_plain = (np.sqrt(np.mean(np.square(of))) for of in (found, plain))
    print(f"all: {rms:.2f} std, plain sums {of_plain:.2f}, of {len(found)}")
    assert np.isfinite(found).all()
    assert rms < 1.3
    assert of_plain > 1.7
