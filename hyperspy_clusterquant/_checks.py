"""Checks of what users pass, one place for their messages."""

from __future__ import annotations

import numpy as np


def as_keep(mask, shape):
    """Pixels that take part, from a mask in HyperSpy's polarity (True = left out).

    Parameters
    ----------
    mask : array of bool or None
        Navigation mask.
    shape : tuple of int
        Shape of the map.

    Returns
    -------
    array of bool
        True = kept.
    """
    if mask is None:
        return np.ones(shape, dtype=bool)
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise ValueError(
            f"`navigation_mask` must have the map's array shape {tuple(shape)} (y, x), but has "
            f"{mask.shape}. True leaves a pixel out."
        )
    if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"`navigation_mask` must hold True (left out) and False, not values such as "
            f"{mask[~np.isin(mask, (0, 1))][0]} ({mask.dtype})."
        )
    return ~mask.astype(bool)


def check_some_kept(keep, automatic):
    """Raise if the mask leaves nothing to cluster."""
    if keep.any():
        return
    reason = (
        "the automatic vacuum mask found no pixel with counts in the chosen energies. Check "
        "`energy_range` and `exclude_lines`, or pass navigation_mask=None"
        if automatic
        else "`navigation_mask` is True (left out) everywhere. In HyperSpy's convention True "
        "leaves a pixel out, so perhaps ~mask was meant"
    )
    raise ValueError(f"All {keep.size} pixels are masked: {reason}.")


def check_n_clusters(n_clusters, n_pixels):
    """`n_clusters` as "auto", "bic" or an int that the pixels allow."""
    if isinstance(n_clusters, str):
        if n_clusters not in ("auto", "bic"):
            raise ValueError(f"`n_clusters` must be an int, 'auto' or 'bic', not {n_clusters!r}.")
        return n_clusters
    n_clusters = as_int("n_clusters", n_clusters, minimum=1)
    if n_clusters > n_pixels:
        raise ValueError(
            f"n_clusters={n_clusters} is more than the {n_pixels} pixels to learn from. Ask for "
            "fewer clusters, bin less, or mask less."
        )
    return n_clusters


def as_int(name, value, minimum):
    """`value` as an int not smaller than `minimum`."""
    is_number = np.isscalar(value) and not isinstance(value, bool | str)
    if not is_number or not np.isfinite(value) or value != int(value):
        raise TypeError(f"`{name}` must be a whole number, not {value!r}.")
    if value < minimum:
        raise ValueError(f"`{name}` must be at least {minimum}, not {value}.")
    return int(value)


def as_level(value):
    """`level` of a test as a float between 0 and 1."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not 0 < value < 1:
        raise ValueError(
            f"`level` is the probability of a false alarm, between 0 and 1, such as 0.05; got "
            f"{value!r}."
        )
    return float(value)


def as_names(name, value):
    """A collection of texts, one text or None, as a tuple of texts."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    names = tuple(value)
    if not all(isinstance(item, str) for item in names):
        raise TypeError(f"`{name}` must be a list of texts such as ['C', 'Cu_Ka'], not {value!r}.")
    return tuple(map(str, names))


def as_energy_range(value):
    """`energy_range` as two ascending floats, or None."""
    if value is None:
        return None
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`energy_range` must be two energies in keV, (lowest, highest), not {value!r}."
        ) from error
    if not low < high:
        raise ValueError(
            f"`energy_range` must be (lowest, highest) in keV; got ({low:g}, {high:g})."
        )
    return low, high


def as_drawn_range(value, energy):
    """`energy_range` of a picture as two floats that some of the energies (keV) lie between."""
    value = as_energy_range(value)
    if value is not None and np.count_nonzero((energy >= value[0]) & (energy <= value[1])) < 2:
        raise ValueError(
            f"`energy_range` ({value[0]:g}, {value[1]:g}) keV holds no spectrum: its channels lie "
            f"between {energy[0]:.3g} and {energy[-1]:.3g} keV."
        )
    return value


def check_choice(name, value, choices):
    """Raise unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}, not {value!r}.")


#: What files write of axes that have no length. pint takes some of it for lengths (px is 1/96 inch
#: for it, its css_pixel; au is the astronomical unit) or worse (pt is a pint).
_PIXEL_UNITS = {
    "", "px", "pix", "pixel", "pixels", "css_pixel", "voxel", "voxels", "dot", "dots", "pt",
    "point", "points", "index", "none", "undefined", "<undefined>", "au", "a.u.", "arb", "arb.",
    "arb. unit", "arb. units", "arb.u.", "arbitrary", "arbitrary unit", "arbitrary units",
}  # fmt: skip


def is_pixel_unit(units):
    """Whether the units of an axis say nothing of lengths.

    Examples
    --------
    >>> is_pixel_unit("px"), is_pixel_unit(""), is_pixel_unit("nm")
    (True, True, False)
    """
    return units.strip().lower() in _PIXEL_UNITS


def check_has_clusters(result):
    """Raise a ValueError if a result has no cluster."""
    if result.n_clusters == 0:
        raise ValueError(
            f"The result {result.name!r} has no cluster: all its pixels are noise or left "
            "out. Cluster again with other parameters, or take another result."
        )


def cluster_number(key, names, what):
    """Number of a cluster that is given by its number or its name.

    Parameters
    ----------
    key : int or str
    names : sequence of str
        Names of the clusters there are.
    what : str
        What the clusters are of, for the message, such as ``"the result 'pca_gmm'"``.

    Returns
    -------
    int

    Examples
    --------
    >>> cluster_number("shell", ["core", "shell"], "the result 'pca_gmm'")
    1
    """
    is_number = isinstance(key, int | np.integer) and not isinstance(key, bool)
    if not is_number and not isinstance(key, str):
        raise TypeError(f"A cluster is given by its number (int) or name (str), not {key!r}.")
    numbers = [k for k, name in enumerate(names) if key in (k, name)]
    if len(numbers) == 1:
        return numbers[0]
    there_are = ", ".join(f"{k} ({name!r})" for k, name in enumerate(names)) or "none"
    if numbers:
        raise ValueError(
            f"Several clusters of {what} are named {key!r}; give a number. There are {there_are}."
        )
    raise ValueError(f"There is no cluster {key!r} in {what}; there are {there_are}.")


def as_number(value):
    """A float, NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def as_positive(name, value):
    """`value` as a float above zero."""
    number = as_number(value)
    if not number > 0 or not np.isfinite(number):
        raise ValueError(f"`{name}` must be a positive number, not {value!r}.")
    return number
