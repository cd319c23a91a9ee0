"""k-factors of other conventions."""

from __future__ import annotations

from hyperspy_clusterquant._checks import check_choice
from hyperspy_clusterquant.xrays.emission import atomic_weight, line_families, split_line
from hyperspy_clusterquant.xrays.kfactors import KFactors, as_positive, read_kfactors
from hyperspy_clusterquant.xrays.theory import counts_per_mass


def convert_kfactors(kfactors, lines="alpha", units="weight", beam_energy=200.0):
    r"""Turn k-factors of other conventions into those used here: by weight, for alpha lines.

    Lists of manufacturers differ in what they mean. A k-factor that applies to the counts of the
    whole family, as Thermo's do, is divided by the alpha line's share of the
    family; an atomic one is multiplied by the atomic weight:

    .. math:: k = k_{atomic} A / A_{ref}, \qquad k_\alpha = k_{family} I_{family} / I_\alpha .

    The scale is kept for the first line.

    Parameters
    ----------
    kfactors : mapping of str to float, or path
        As ``kfactors=`` takes it.
    lines : {"alpha", "family"}
        Counts that the k-factors apply to.
    units : {"weight", "atomic"}
        Fractions that the k-factors give.
    beam_energy : float
        Beam energy in keV, which the shares within L and M families depend on a little.

    Returns
    -------
    KFactors

    Examples
    --------
    >>> k = convert_kfactors({"S_Ka": 1.0, "Cu_Ka": 1.0}, units="atomic")
    >>> round(k["Cu_Ka"], 3)  # 63.546 / 32.07
    1.981
    """
    check_choice("lines", lines, ("alpha", "family"))
    check_choice("units", units, ("weight", "atomic"))
    given = read_kfactors(kfactors)
    factors = {}
    for line in given:
        factors[line] = 1.0
        if lines == "family":
            counts_per_mass(line, as_positive("beam_energy", beam_energy), lambda energy: 1.0)
            factors[line] *= sum(
                f.weights.sum() for f in line_families(line, beam_energy) if f.alpha == line
            )
        if units == "atomic":
            factors[line] *= atomic_weight(split_line(line)[0])
    unit = next(iter(factors.values()), 1.0)
    values = {line: k * factors[line] / unit for line, k in given.items()}
    return KFactors(values, given.relative_uncertainty, given.sources)
