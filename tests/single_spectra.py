"""Spectra of known composition as users have them, for tests of what is quantified."""

import hyperspy.api as hs
import numpy as np
import simulation

from hyperspy_clusterquant import theoretical_kfactors

ENERGY = 0.01 * np.arange(1, 2048)


#: The axis is off and the resolution is not what the metadata say.
DETECTOR = {"offset": 0.008, "gain": 0.001, "resolution": 136.0}


#: Grid, film and support.
EXTRA = {"C": 0.05, "O": 0.01, "Au": 0.02}


def spectrum(counts, elements):
    """A single spectrum as a user has it."""
    s = hs.signals.Signal1D(counts)
    s.set_signal_type("EDS_TEM_clustered")
    axis = s.axes_manager.signal_axes[0]
    axis.scale, axis.offset, axis.units = 0.01, ENERGY[0], "keV"
    s.set_microscope_parameters(beam_energy=200, energy_resolution_MnKa=130)
    s.set_elements(list(elements))
    return s


def simulated(composition, **options):
    """Expected counts, k-factors and composition that sums to 100."""
    total = sum(composition.values())
    composition = {element: 100 * x / total for element, x in composition.items()}
    lines = [simulation.quantified_line(element) for element in composition]
    k = dict(theoretical_kfactors(lines))
    return simulation.spectrum(ENERGY, composition, k, **options), k, composition


def deviation(q, composition):
    """From the truth in at%."""
    return q.atomic_percent[0] - np.array([composition[e] for e in q.elements])


SAMPLES = simulation.SIX_CATION | {"nanoparticle": simulation.SEVEN_CATION}


def single(s):
    """The whole map as one cluster."""
    s.cluster_pca_gmm(n_clusters=1, n_components=1)
    return s


def truth(s):
    return s.metadata.Ground_truth.compositions[0]
