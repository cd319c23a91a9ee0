"""Maps of kinds of sample, with their truth in the metadata, shared by several test files.

Compositions are exact with the k-factors in the truth; elements are in alphabetical order.
"""

import numpy as np
import xraylib
from scipy import ndimage, special

from hyperspy_clusterquant import data
from hyperspy_clusterquant.clusters.learning import learn
from hyperspy_clusterquant.clusters.pca_gmm import PcaGmm
from hyperspy_clusterquant.counts.pixels import read_pixels

#: Compositions in at%.
STEEL = {
    "matrix": {"Cr": 18.0, "Fe": 74.0, "Mn": 0.0, "Nb": 0.0, "Ni": 8.0, "S": 0.0, "Ti": 0.0},
    "NbC": {"Cr": 0.0, "Fe": 0.0, "Mn": 0.0, "Nb": 90.0, "Ni": 0.0, "S": 0.0, "Ti": 10.0},
    "MnS": {"Cr": 0.0, "Fe": 0.0, "Mn": 50.0, "Nb": 0.0, "Ni": 0.0, "S": 50.0, "Ti": 0.0},
    "M23C6": {"Cr": 75.0, "Fe": 22.0, "Mn": 0.0, "Nb": 0.0, "Ni": 3.0, "S": 0.0, "Ti": 0.0},
}

#: Compositions in at% and densities in g/cm3.
COMPOUNDS = {
    "NiAl": ({"Al": 50.0, "Ni": 50.0}, 5.9),
    "Al2O3": ({"Al": 40.0, "O": 60.0}, 3.95),
    "sulfide": ({"Cu": 30.0, "Fe": 20.0, "S": 50.0}, 4.5),
}


def phantom(
    phases, fractions, labels, counts_per_pixel, seed, thickness=None, channels=1024, film=None
):
    """A map of phases from their fractions of each pixel (phases, map shape)."""
    shape = labels.shape
    return data._phantom(
        np.random.default_rng([seed, 99]), phases, labels, np.asarray(fractions, dtype=float),
        np.full(shape, 100.0) if thickness is None else thickness,
        film=np.ones(shape) if film is None else film, channels=channels,
        counts_per_pixel=counts_per_pixel, carbon_share=0.03, pixel_size=1.0, title="sample",
    )  # fmt: skip


def blurred(labels, n_phases, width):
    """Fractions of phases in pixels that a Gaussian beam sees."""
    return np.array(
        [ndimage.gaussian_filter((labels == k).astype(float), width) for k in range(n_phases)]
    )


def grains(size=128, counts_per_pixel=180.0, seed=0, width=1.0, n_grains=40, **more):
    """Sharp polygonal grains of the four phases of the six-cation sulfide."""
    rng = np.random.default_rng([seed, 1])
    phases = {name: dict(sorted(of.items())) for name, of in data.SIX_CATION_PHASES.items()}
    centres = rng.uniform(0, size, (n_grains, 2))
    row, column = np.indices((size, size))
    distance = (row[..., None] - centres[:, 0]) ** 2 + (column[..., None] - centres[:, 1]) ** 2
    of_grain = np.resize(np.arange(len(phases)), n_grains)
    rng.shuffle(of_grain)
    labels = of_grain[distance.argmin(axis=-1)]
    thickness = 100 * np.exp(0.15 * data._smooth_noise(rng, labels.shape, size / 8))
    fractions = blurred(labels, len(phases), width)
    return phantom(phases, fractions, labels, counts_per_pixel, seed, thickness, **more)


def two_phases(contrast, counts_per_pixel=60.0, seed=0, size=96, width=0.8, **more):
    """Cu30 Fe20 S50 and the same with more copper, in at%; one phase if that is none."""
    rng = np.random.default_rng([seed, 2])
    first = {"Cu": 30.0, "Fe": 20.0, "S": 50.0}
    scale = (70 - contrast) / 70
    phases = {
        "a": first,
        "b": {"Cu": 30.0 + contrast, "Fe": 20.0 * scale, "S": 50.0 * scale},
    }
    field = data._smooth_noise(rng, (size, size), size / 16)
    labels = (field > np.quantile(field, 0.6)).astype(int)
    if contrast == 0:
        phases, labels = {"a": first}, np.zeros((size, size), dtype=int)
    thickness = 100 * np.exp(0.15 * data._smooth_noise(rng, labels.shape, size / 8))
    fractions = blurred(labels, len(phases), width)
    return phantom(phases, fractions, labels, counts_per_pixel, seed, thickness, **more)


def steel(counts_per_pixel=300.0, seed=0, size=128, width=0.8, n_particles=24, **more):
    """Discs of three precipitates at 30 to 70 % through a foil of Fe-18Cr-8Ni."""
    rng = np.random.default_rng([seed, 3])
    row, column = np.indices((size, size))
    labels = np.zeros((size, size), dtype=int)
    fractions = np.zeros((4, size, size))
    fractions[0] = 1.0
    for number in range(n_particles):
        radius = rng.uniform(1.5, 7.5)
        for _ in range(200):
            y, x = rng.uniform(8, size - 8, 2)
            distance = np.hypot(row - y, column - x)
            if (labels[distance < radius + 4] == 0).all():
                kind, inside, depth = 1 + number % 3, distance < radius, rng.uniform(0.3, 0.7)
                labels[inside] = kind
                fractions[:, inside] = 0.0
                fractions[kind, inside], fractions[0, inside] = depth, 1 - depth
                break
    fractions = np.array([ndimage.gaussian_filter(of, width) for of in fractions])
    thickness = 100 * np.exp(0.05 * data._smooth_noise(rng, labels.shape, size / 6))
    return phantom(STEEL, fractions, labels, counts_per_pixel, seed, thickness, **more)


def layers(widths, counts_per_pixel=150.0, seed=0, width=0.8, length=48, phases=None, **more):
    """Layers of some widths in pixels, one beside the other, of two phases in turn or those given.

    The first and the last are buffers of 16 pixels of the first phase.
    """
    phases = phases or {
        "barrier": {"Al": 30.0, "As": 50.0, "Ga": 20.0},
        "well": {"Al": 2.0, "As": 50.0, "Ga": 48.0},
    }
    of_layer = np.resize(np.arange(len(phases)), len(widths) + 2)
    of_layer[-1] = 0
    line = np.repeat(of_layer, [16, *widths, 16])
    labels = np.broadcast_to(line, (length, len(line))).copy()
    fractions = blurred(labels, len(phases), width)
    return phantom(phases, fractions, labels, counts_per_pixel, seed, **more)


def absorbed(name, counts_per_pixel=150.0, seed=0, size=64, contrast=0.0):
    """A wedge of 20 to 300 nm whose X-rays are absorbed on their way out, of one composition.

    Or of two, with so much more (at%) of the first element in domains. Lines and background
    are absorbed from everywhere in the thickness; absorption is looked up in xraylib.
    """
    composition, density = COMPOUNDS[name]
    rng = np.random.default_rng([seed, 77])
    thickness = np.broadcast_to(np.linspace(20, 300, size), (size, size)).copy()
    phases, labels = {"a": composition}, np.zeros((size, size), dtype=int)
    if contrast:
        first, *others = composition
        rest = 100 - composition[first]
        more = {e: composition[e] * (rest - contrast) / rest for e in others}
        phases["b"] = {first: composition[first] + contrast} | more
        field = data._smooth_noise(rng, labels.shape, size / 12)
        labels = (field > np.quantile(field, 0.6)).astype(int)
    fractions = blurred(labels, len(phases), 0.7)
    step, energy = 0.01, 0.01 * np.arange(1024)
    compositions = np.array([list(phase.values()) for phase in phases.values()])
    elements = list(composition)
    spectra, carbon = data._phase_spectra(energy, step, elements, compositions, data.RESOLUTION)
    path = density / np.sin(np.deg2rad(data.TAKE_OFF_ANGLE)) * 1e-7 * thickness[0][:, None]
    seen = [special.exprel(-path * attenuation(phase, energy)) for phase in phases.values()]
    dose = counts_per_pixel / (1.03 * thickness.mean())
    expected = 0.03 * counts_per_pixel * carbon + sum(
        (dose * thickness * of)[..., None] * spectrum * absorption
        for of, spectrum, absorption in zip(fractions, spectra, seen, strict=True)
    )
    truth = {
        "labels": labels.astype(np.int16), "fractions": fractions, "elements": elements,
        "compositions": compositions,
    }  # fmt: skip
    return data._as_signal(rng.poisson(expected), step, 1.0, "absorbed", truth, lazy=False)


def attenuation(composition, energy):
    """Of a compound (cm2/g), array (channels,); nothing is absorbed where tables end."""
    numbers = [xraylib.SymbolToAtomicNumber(element) for element in composition]
    weights = np.array(list(composition.values())) * [xraylib.AtomicWeight(z) for z in numbers]
    known = energy > 0.12
    mu = np.zeros(len(energy))
    mu[known] = [
        sum(w * xraylib.CS_Total(z, e) for w, z in zip(weights, numbers, strict=True))
        for e in energy[known]
    ] / weights.sum()
    return mu


def rare_grains(counts_per_pixel=100.0, seed=0, size=72, width=0.7, **more):
    """A silicate with squares of two others, 2 % and 1 % of the pixels."""
    rng = np.random.default_rng([seed, 78])
    host = {"Ca": 0.0, "Fe": 10.0, "Mg": 20.0, "O": 55.0, "Si": 15.0, "Ti": 0.0}
    phases = {
        "host": host,
        "with calcium": host | {"Ca": 20.0, "Mg": 5.0, "Si": 10.0},
        "with titanium": host | {"Ti": 25.0, "Fe": 20.0, "Mg": 0.0, "Si": 0.0},
    }
    labels = np.zeros((size, size), dtype=int)
    side = round(0.1 * size)
    for number, kind in enumerate(rng.permutation([1, 1, 2])):
        row = 6 + number * (size - 6) // 3 + rng.integers(size // 12)
        column = rng.integers(6, size - side - 6)
        labels[row : row + side, column : column + side] = kind
    thickness = 100 * np.exp(0.15 * data._smooth_noise(rng, labels.shape, size / 8))
    fractions = blurred(labels, len(phases), width)
    return phantom(phases, fractions, labels, counts_per_pixel, seed, thickness, **more)


def light_element(counts_per_pixel=100.0, seed=0, size=64, width=0.7, **more):
    """Fe60Cr40 and a nitride of the same ratio of the two, of which nitrogen is not declared."""
    rng = np.random.default_rng([seed, 79])
    field = data._smooth_noise(rng, (size, size), size / 10)
    labels = (field > 0.2).astype(int)
    phases = {
        "metal": {"Cr": 40.0, "Fe": 60.0, "N": 0.0},
        "nitride": {"Cr": 34.8, "Fe": 52.2, "N": 13.0},
    }
    thickness = 100 * np.exp(0.15 * data._smooth_noise(rng, labels.shape, size / 8))
    fractions = blurred(labels, len(phases), width)
    signal = phantom(phases, fractions, labels, counts_per_pixel, seed, thickness, **more)
    signal.set_elements(["Cr", "Fe"])
    return signal


def learned(signal, **more):
    """What a workflow learns of a map before it clusters, and the lines of the map's elements."""
    energy = signal.axes_manager.signal_axes[0].axis
    elements = tuple(signal.metadata.Sample.elements)
    recipe = PcaGmm(elements=elements, beam_energy=200.0, exclude_lines=("C",), **more)
    pixels = read_pixels(signal.data, energy, recipe.channels(energy), None, _silent)
    return learn(pixels, recipe, _silent), recipe.line_profiles(energy)


def _silent(*_):
    pass


def truth_of(signal, result):
    """True compositions (n_clusters, n_elements) of the clusters, matched by their pixels."""
    truth = signal.metadata.Ground_truth
    compositions = np.asarray(truth.compositions)
    order = np.argsort(truth.elements)
    shared = np.array(
        [
            [np.sum((result.labels == k) & (truth.labels == j)) for j in range(len(compositions))]
            for k in range(result.n_clusters)
        ]
    )
    return compositions[shared.argmax(axis=1)][:, order]
