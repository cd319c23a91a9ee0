"""Phantoms: synthetic STEM-EDX maps that carry their truth.

Two maps after the samples of Eggeman et al., Faraday Discussions (2025),
doi:10.1039/d5fd00101c: a microtomed section of a six-cation sulfide with four phases, and
seven-cation sulfide nanoparticles of a single composition on a carbon film. They need no
files and are the same for the same arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hyperspy_clusterquant.counts.passes import lazy_map
from hyperspy_clusterquant.xrays.detectors import fwhm_at_energy
from hyperspy_clusterquant.xrays.emission import alpha_emission, shell_emission
from hyperspy_clusterquant.xrays.theory import theoretical_kfactors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hyperspy_clusterquant.signals.clustered_eds import ClusteredEDSSpectrum

__all__ = ["seven_cation_nanoparticles", "six_cation_sulfide"]
BEAM_ENERGY = 200.0  # keV
RESOLUTION = 130.0  # eV at Mn Ka
TAKE_OFF_ANGLE = 22.0  # degrees
BREMSSTRAHLUNG_SHARE = 0.15  # of the counts of the sample
#: Compositions in at%, Eggeman et al. (2025), workflow 1 of the sulfide section.
SIX_CATION_PHASES = {
    "wurtzite": dict(Ag=2.78, Cd=7.70, Cu=1.03, Fe=5.56, Mn=17.3, S=60.2, Zn=5.45),
    "chalcopyrite": dict(Ag=1.39, Cd=0.67, Cu=17.6, Fe=25.4, Mn=2.51, S=52.1, Zn=0.35),
    "jalpaite": dict(Ag=39.0, Cd=15.8, Cu=5.06, Fe=0.71, Mn=0.81, S=38.5, Zn=0.11),
    "remnant": dict(Ag=10.8, Cd=7.00, Cu=8.59, Fe=10.5, Mn=9.45, S=51.1, Zn=2.45),
}
SIX_CATION_AREAS = (0.40, 0.27, 0.20, 0.13)
#: Workflow 2 of the nanoparticles: one composition.
NANOPARTICLE = dict(Ag=19.19, Co=3.24, Cu=11.3, Ga=2.88, In=7.72, Mn=0.90, S=51.92, Zn=2.84)
#: Radius of the cores that nanoparticles may have, as a share of their own.
CORE_RADIUS = 0.6


def six_cation_sulfide(
    size: int | tuple[int, ...] = 128,
    channels: int = 1024,
    counts_per_pixel: float = 180.0,
    seed: int = 0,
    energy_offset: float = 0.0,
    energy_gain: float = 0.0,
    resolution: float = RESOLUTION,
    lazy: bool = False,
) -> ClusteredEDSSpectrum:
    """Section of a six-cation sulfide: four phases, one thickness gradient, a hole.

    Wurtzite, chalcopyrite, jalpaite and a well-mixed remnant form smooth domains
    with blurred interfaces in a section of varying thickness on a thin carbon film with a
    hole (vacuum), under the stray gold signal of the grid.

    Parameters
    ----------
    size : int or tuple of int
        Pixels along y and x.
    channels : int
        Energy channels of 10 eV; of more than that if fewer than 1024.
    counts_per_pixel : float
        Mean total counts of the pixels that hold sample.
    seed : int
        Seed of domains and noise: the same seed gives the same map.
    energy_offset, energy_gain, resolution : float
        What the metadata do not know of the detector: peaks lie where the nominal energy plus
        an offset in eV and a relative gain is the line's; full width at half maximum at Mn
        K-alpha in eV, where the metadata say 130.
    lazy : bool
        Draw the counts whenever they are read, for maps larger than memory. The sample is the
        same as of an eager map, the noise is not.

    Returns
    -------
    ClusteredEDSSpectrum or LazyClusteredEDSSpectrum
        Dimensions (x, y | energy). ``metadata.Ground_truth`` holds ``labels`` (index of the
        phase, -2 = no sample), ``fractions`` (phases, y, x), ``thickness`` (nm),
        ``phase_names``, ``elements``, ``compositions`` (at%, phases x elements) and
        ``kfactors`` (by weight, of the lines used).

    Examples
    --------
    >>> from hyperspy_clusterquant.data import six_cation_sulfide
    >>> s = six_cation_sulfide(size=16, channels=512)
    >>> s
    <ClusteredEDSSpectrum, title: Six-cation sulfide phantom, dimensions: (16, 16|512)>
    >>> list(s.metadata.Ground_truth.phase_names)
    ['wurtzite', 'chalcopyrite', 'jalpaite', 'remnant']
    """
    rng = np.random.default_rng(seed)
    shape = _shape(size)
    scale = min(shape) / 16
    fields = [_smooth_noise(rng, shape, scale) for _ in SIX_CATION_AREAS]
    domains = _domains(np.array(fields), SIX_CATION_AREAS)
    hole = _smooth_noise(rng, shape, 1.5 * scale)
    hole = hole > np.quantile(hole, 0.93)
    blur = min(shape) / 128
    fractions = np.array(
        [ndimage.gaussian_filter((domains == k).astype(float), blur) for k in range(4)]
    )
    thickness = 100 * np.exp(0.25 * _smooth_noise(rng, shape, 2 * scale))
    thickness *= ndimage.gaussian_filter(1.0 - hole, blur)
    return _phantom(
        rng,
        SIX_CATION_PHASES,
        np.where(thickness < 30, -2, domains),
        fractions,
        thickness,
        film=ndimage.gaussian_filter(1.0 - hole, blur),
        channels=channels,
        counts_per_pixel=counts_per_pixel,
        carbon_share=0.03,
        pixel_size=1000 / min(shape),
        title="Six-cation sulfide phantom",
        energy_offset=energy_offset,
        energy_gain=energy_gain,
        resolution=resolution,
        lazy_seed=seed if lazy else None,
    )


def seven_cation_nanoparticles(
    size: int | tuple[int, ...] = 128,
    channels: int = 1024,
    counts_per_pixel: float = 100.0,
    seed: int = 0,
    energy_offset: float = 0.0,
    energy_gain: float = 0.0,
    resolution: float = RESOLUTION,
    lazy: bool = False,
    core: Mapping[str, float] | None = None,
) -> ClusteredEDSSpectrum:
    """Seven-cation sulfide nanoparticles of a single composition on a carbon film.

    Round particles of varying thickness, so that classic maps look structured although the
    composition is everywhere the same, unless they are given cores. Leave the film out to ask
    about the sample: ``s.cluster_umap_hdbscan(exclude_lines=["C"])``.

    Parameters
    ----------
    size : int or tuple of int
        Pixels along y and x.
    channels : int
        Energy channels of 10 eV; of more than that if fewer than 1024.
    counts_per_pixel : float
        Mean total counts of the pixels that hold sample.
    seed : int
        Seed of particles and noise: the same seed gives the same map.
    energy_offset, energy_gain, resolution : float
        What the metadata do not know of the detector: peaks lie where the nominal energy plus
        an offset in eV and a relative gain is the line's; full width at half maximum at Mn
        K-alpha in eV, where the metadata say 130.
    lazy : bool
        Draw the counts whenever they are read, for maps larger than memory. The sample is the
        same as of an eager map, the noise is not.
    core : dict of str: float, optional
        Elements that the inner 60 % of each particle's radius holds more of, in at%, such as
        ``{"Cu": 2.0}``; the others hold less in proportion. The cores reach through the
        particles, so that this is the contrast on the map.

    Returns
    -------
    ClusteredEDSSpectrum or LazyClusteredEDSSpectrum
        Dimensions (x, y | energy). ``metadata.Ground_truth`` as in `six_cation_sulfide`.

    Examples
    --------
    >>> from hyperspy_clusterquant.data import seven_cation_nanoparticles
    >>> s = seven_cation_nanoparticles(size=16, channels=512)
    >>> sorted(s.metadata.Sample.elements)
    ['Ag', 'Co', 'Cu', 'Ga', 'In', 'Mn', 'S', 'Zn']
    """
    rng = np.random.default_rng(seed)
    shape = _shape(size)
    row, column = np.indices(shape)
    squared_height = np.zeros(shape)
    inside_core = np.zeros(shape, dtype=bool)
    for _ in range(12):
        radius = rng.uniform(0.09, 0.16) * min(shape)
        y, x = rng.uniform(0.1, 0.9, 2) * shape
        squared_distance = (row - y) ** 2 + (column - x) ** 2
        squared_height = np.maximum(squared_height, radius**2 - squared_distance)
        inside_core |= squared_distance < (CORE_RADIUS * radius) ** 2
    pixel_size = 200 / min(shape)
    thickness = 2 * np.sqrt(squared_height) * pixel_size
    thickness = ndimage.gaussian_filter(thickness, 0.7)
    labels = np.where(thickness > 0.1 * thickness.max(), 0, -2)
    phases, fractions = {"particle": NANOPARTICLE}, np.ones((1, *shape))
    if core:
        phases = {"shell": NANOPARTICLE, "core": _enriched(NANOPARTICLE, core)}
        fractions = np.array([~inside_core, inside_core], dtype=float)
        labels = np.where(inside_core & (labels == 0), 1, labels)
    return _phantom(
        rng,
        phases,
        labels,
        fractions,
        thickness,
        film=np.ones(shape),
        channels=channels,
        counts_per_pixel=counts_per_pixel,
        carbon_share=0.10,
        pixel_size=pixel_size,
        title="Seven-cation nanoparticle phantom",
        energy_offset=energy_offset,
        energy_gain=energy_gain,
        resolution=resolution,
        lazy_seed=seed if lazy else None,
    )


def _enriched(composition, more):
    """A composition in at% with more of some elements, and less of the others in proportion."""
    unknown = [element for element in more if element not in composition]
    if unknown:
        raise ValueError(
            f"The particles hold no {', '.join(unknown)}; they are made of "
            f"{', '.join(composition)}."
        )
    total = sum(composition.values())
    enriched = {e: 100 * composition[e] / total + more[e] for e in more}
    rest = sum(x for e, x in composition.items() if e not in more)
    others = (100 - sum(enriched.values())) / rest
    if min(enriched.values()) < 0 or others < 0:
        raise ValueError(f"`core`={more!r} leaves less than nothing of an element.")
    return {e: enriched[e] if e in more else others * x for e, x in composition.items()}


def _shape(size):
    return (size, size) if np.isscalar(size) else tuple(size)


def _smooth_noise(rng, shape, scale):
    """Gaussian random field of unit variance, correlated over `scale` pixels."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), scale, mode="wrap")
    return (field - field.mean()) / field.std()


def _domains(fields, areas):
    """Largest of the fields at every pixel, shifted until the areas are as wanted."""
    shifts = np.zeros(len(areas))
    for _ in range(300):
        domains = np.argmax(fields + shifts[:, None, None], axis=0)
        share = np.bincount(domains.ravel(), minlength=len(areas)) / domains.size
        shifts += 0.3 * (np.asarray(areas) - share)
    return domains


def _phantom(
    rng, phases, labels, fractions, thickness, film, channels, counts_per_pixel,
    carbon_share, pixel_size, title, energy_offset=0.0, energy_gain=0.0, resolution=RESOLUTION,
    lazy_seed=None,
):  # fmt: skip
    """Counts drawn from the truth, as a signal that carries it."""
    step = max(0.01, 10.24 / channels)
    energy = step * np.arange(channels)
    elements = list(next(iter(phases.values())))
    compositions = np.array([list(phase.values()) for phase in phases.values()])
    compositions *= 100 / compositions.sum(axis=1, keepdims=True)
    detected = energy * (1 + energy_gain) + energy_offset / 1000
    spectra, carbon = _phase_spectra(detected, step, elements, compositions, resolution)
    sample = labels >= 0
    dose = counts_per_pixel / ((1 + carbon_share) * thickness[sample].mean())

    def expected(place):
        amounts = fractions[:, *place] * thickness[place] * dose
        of_film = carbon_share * counts_per_pixel * film[place][..., None] * carbon
        return np.tensordot(amounts, spectra, (0, 0)) + of_film

    if lazy_seed is None:
        counts = _drawn(rng, expected, (*labels.shape, channels))
    else:
        brightest = np.unravel_index(thickness.argmax(), thickness.shape)
        highest = expected(brightest).max()
        counts = _drawn_when_read(lazy_seed, expected, (*labels.shape, channels), highest)
    lines = _lines_in_range([*elements, "Au", "C"], energy[-1])
    truth = {
        "labels": labels.astype(np.int16),
        "fractions": fractions.astype(np.float32),
        "thickness": thickness.astype(np.float32),
        "phase_names": list(phases),
        "elements": elements,
        "compositions": compositions,
        "kfactors": dict(theoretical_kfactors(lines, BEAM_ENERGY)),
    }
    return _as_signal(counts, step, pixel_size, title, truth, lazy=lazy_seed is not None)


def _phase_spectra(detected, step, elements, compositions, resolution):
    """Expected spectra of the phases on their grid, and of the film."""
    background = _bremsstrahlung(detected)
    spectra = []
    for composition in compositions:
        of_lines = dict(zip(elements, composition, strict=True))
        spectrum = _line_spectrum(detected, step, of_lines, resolution)
        spectrum *= (1 - BREMSSTRAHLUNG_SHARE) / spectrum.sum()
        spectra.append(spectrum + BREMSSTRAHLUNG_SHARE * background)
    # The grid is excited by what the sample scatters, so it goes with the sample.
    stray = _line_spectrum(detected, step, {"Au": 100.0}, resolution)
    carbon = _line_spectrum(detected, step, {"C": 100.0}, resolution)
    carbon = 0.95 * carbon / carbon.sum() + 0.05 * background
    return np.array(spectra) + 0.02 * stray / stray.sum(), carbon


def _drawn(rng, expected, shape):
    """Counts of all pixels, in single bytes if these hold them."""
    counts = np.empty(shape, dtype=np.uint16)
    for row in range(shape[0]):
        counts[row] = rng.poisson(expected((row,)))
    return counts.astype(np.uint8) if counts.max() < 256 else counts


def _drawn_when_read(seed, expected, shape, highest):
    """The same as a dask array whose blocks are drawn when they are read."""

    def draw(place):
        stream = np.random.default_rng([seed, 1, *(axis.start for axis in place)])
        return stream.poisson(expected(place))

    one_byte = highest + 10 * np.sqrt(highest) + 10 < 256
    return lazy_map(draw, shape, np.uint8 if one_byte else np.uint16)


def _as_signal(counts, step, pixel_size, title, truth, lazy):
    import hyperspy.api as hs

    s = hs.signals.Signal1D(counts)
    if lazy:
        s = s.as_lazy()
    x_axis, y_axis = s.axes_manager.navigation_axes
    for axis, name in ((y_axis, "y"), (x_axis, "x")):
        axis.name, axis.units, axis.scale = name, "nm", pixel_size
    e_axis = s.axes_manager.signal_axes[0]
    e_axis.name, e_axis.units, e_axis.scale = "Energy", "keV", step
    s.set_signal_type("EDS_TEM_clustered")
    instrument = "Acquisition_instrument.TEM"
    for key, value in {
        "General.title": title,
        "Signal.quantity": "X-rays (Counts)",
        "Signal.signal_origin": "simulation",
        f"{instrument}.beam_energy": BEAM_ENERGY,
        f"{instrument}.Detector.EDS.energy_resolution_MnKa": RESOLUTION,
        f"{instrument}.Detector.EDS.elevation_angle": TAKE_OFF_ANGLE,
        f"{instrument}.Detector.EDS.live_time": 0.01,
        **{f"Ground_truth.{name}": value for name, value in truth.items()},
    }.items():
        s.metadata.set_item(key, value)
    s.set_elements(truth["elements"])
    return s


def _lines_in_range(elements, highest):
    """Alpha lines on the energy axis, one for each family of each element."""
    return [
        f"{element}_{line}"
        for element in elements
        for line in ("Ka", "La", "Ma")
        if 0.1 < _alpha_energy(element, line) < highest
    ]


def _alpha_energy(element, line):
    try:
        return alpha_emission(f"{element}_{line}", BEAM_ENERGY)[0]
    except ValueError:  # the element has no such lines
        return 0.0


def _line_spectrum(energy, step, atomic_percent, resolution):
    """X-ray lines of a composition: photons per atom of each line, on the energies of channels."""
    spectrum = np.zeros(len(energy))
    for element, percent in atomic_percent.items():
        for shell in "KLM":
            try:
                photons = shell_emission(element, shell, BEAM_ENERGY)
            except ValueError:  # the beam does not excite it, or the element has no such lines
                continue
            for centre, strength in photons.values():
                if centre < 0.1 or centre > energy[-1] + 0.5:
                    continue
                sigma = fwhm_at_energy(centre, resolution) / 2.3548
                peak = np.exp(-0.5 * ((energy - centre) / sigma) ** 2) / (sigma * 2.5066)
                spectrum += percent * strength * step * peak
    return spectrum


def _bremsstrahlung(energy):
    """Continuum after Kramers, absorbed at low energies; sums to one."""
    e = np.maximum(energy, 0.05)
    continuum = (BEAM_ENERGY - e) / e * np.exp(-((0.45 / e) ** 2.5))
    return continuum / continuum.sum()
