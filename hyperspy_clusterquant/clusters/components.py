"""Counts to scores: whitening, covariance, rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import linalg

from hyperspy_clusterquant._checks import as_int
from hyperspy_clusterquant.clusters.nuisance import orthogonal
from hyperspy_clusterquant.counts.packed import row_sums

#: Part of what varies along nuisance directions that may be left beside them, as they are known
#: to first order only: of wedges of 20 to 300 nm of NiAl and Cu3Si it is 9 to 14 %.
ACCURACY = 0.2
#: Part of an element's lines, in units of shot noise, that must be left to look for them.
LEAST_LEFT = 0.02
#: Rows made dense at a time: 4096 pixels x 700 features in float32 are 11 MB.
BLOCK_ROWS = 4096
#: Eigenvalues that are computed, enough for the scree plot.
N_LEADING = 20


@dataclass(frozen=True)
class Reduction:
    """Reduction of composition: everything it takes to turn counts into scores.

    Attributes
    ----------
    share : array (features,)
        Mean spectrum as the share of each feature in all counts.
    components : array (features, n_components)
        Orthonormal eigenvectors of the whitened cross-covariance.
    eigenvalues : array (n_leading,)
        The leading ones, descending; 1 is the shot noise of one pixel.
    noise_edge : float
        Eigenvalues above it are signal.
    dose : float
        Counts of a typical pixel.
    normalize : bool
        Whether each pixel's dose (thickness) is divided out.
    basis : array (features, n) or None
        Orthonormal directions that the components were sought among, if not among all.
    nuisance : array (features, n) or None
        Orthonormal directions that are no chemistry, which the components are orthogonal to.
    """

    share: np.ndarray
    components: np.ndarray
    eigenvalues: np.ndarray
    noise_edge: float
    dose: float
    normalize: bool
    basis: np.ndarray | None = None
    nuisance: np.ndarray | None = None

    @property
    def fixed(self):
        """Orthonormal directions that are not looked at, the dose and nuisances, (features, n)."""
        root = np.sqrt(self.share)[:, None]
        return root if self.nuisance is None else np.hstack([root, self.nuisance])


def find_axes(
    products, share, doses, n_components="auto", normalize=True, basis=None, nuisance=None
):
    """Find the axes along which the composition varies more than shot noise.

    Parameters
    ----------
    products : array (features, features)
        From `cross_products`, summed over the pixels.
    share : array (features,)
        Mean spectrum as the share of each feature, sums to one.
    doses : array (pixels,)
        Counts of each pixel.
    n_components : {"auto", "elbow"} or int
        ``"auto"``: the significant ones, possibly none; ``"elbow"``: the
        change point of the scree plot; or their number.
    normalize : bool
        Divide each pixel by its own dose, so that thickness is no component.
    basis : array (features, n), optional
        Orthonormal directions to look among, such as `line_basis`: among few of them,
        weaker components stand out from the noise.
    nuisance : array (features, n), optional
        Orthonormal directions not to look at, see `nuisance.orthonormal`.

    Returns
    -------
    Reduction

    References
    ----------
    M. R. Keenan and P. G. Kotula, Surf. Interface Anal. 36 (2004) 203.
    """
    n_pixels, n_features = len(doses), len(share)
    n_components = check_n_components(n_components, n_features)
    along = 0.0
    covariance = (products + products.T) / (2 * n_pixels)
    if nuisance is not None:
        along = np.linalg.eigvalsh(nuisance.T @ covariance @ nuisance).max(initial=0)
        covariance = orthogonal(orthogonal(covariance, nuisance).T, nuisance)
    if basis is not None:
        covariance = basis.T @ covariance @ basis
        n_features = len(covariance)
        if not isinstance(n_components, str):
            n_components = min(n_components, n_features)
    n_leading = N_LEADING if isinstance(n_components, str) else max(N_LEADING, n_components)
    eigenvalues, vectors, smallest = leading_eigenpairs(covariance, n_leading)
    edge = max(noise_edge(smallest, n_features, n_pixels), ACCURACY**2 * along)
    if eigenvalues[-1] > edge:
        eigenvalues, vectors, _ = leading_eigenpairs(covariance, n_features)
    if n_components == "auto":
        n_components = int(np.count_nonzero(eigenvalues > edge))
    elif n_components == "elbow":
        n_components = elbow(eigenvalues)
    components = vectors[:, :n_components]
    if basis is not None:
        components = basis @ components
    # The sign of an eigenvector is arbitrary: fix it, so that results repeat.
    strongest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[strongest, np.arange(n_components)])
    dose = float(np.median(doses) if normalize else doses.mean())
    # Halves have half the dose, so half of the variance that whole pixels have.
    return Reduction(
        share, components, 2 * eigenvalues, 2 * edge, max(dose, 1.0), normalize, basis, nuisance
    )


def line_basis(profiles, share, nuisance=None):
    """Whitened directions in which the ratios of lines change, whatever their sum.

    Parameters
    ----------
    profiles : array (n_lines, features)
        Shape of the lines of each element.
    share : array (features,)
        Mean spectrum as the share of each feature, sums to one.
    nuisance : array (features, n), optional
        Orthonormal directions not to look at, see `nuisance.orthonormal`.

    Returns
    -------
    array (features, n_lines - 1 or fewer)
        Orthonormal; orthogonal to a change of the dose and to one of all lines together, as
        thickness on a film brings.
    """
    root = np.sqrt(share)
    whitened = (profiles / np.maximum(root, 1e-12)).T
    strength = np.linalg.lstsq(whitened, root, rcond=None)[0]
    fixed = np.linalg.qr(np.stack([root, whitened @ np.maximum(strength, 0)], axis=1))[0]
    if nuisance is not None:
        fixed = np.linalg.qr(np.hstack([fixed, nuisance]))[0]
    given = np.linalg.norm(whitened, axis=0)
    whitened = orthogonal(whitened, fixed)
    length = np.linalg.norm(whitened, axis=0)
    # Of an element that hardly differs from what is not looked at, nothing but rounding is left.
    whitened = whitened[:, length > LEAST_LEFT * given]
    length = length[length > LEAST_LEFT * given]
    if not len(length):
        return np.zeros((len(share), 0))
    directions, sizes, _ = np.linalg.svd(
        whitened / np.where(length > 0, length, 1), full_matrices=False
    )
    return directions[:, sizes > 0.1 * sizes.max()]


def check_n_components(n_components, n_features):
    """The number of components, or how it is chosen, if it can be had of so many features."""
    if isinstance(n_components, str):
        if n_components not in ("auto", "elbow"):
            raise ValueError(
                f"`n_components` must be 'auto', 'elbow' or an int, not {n_components!r}."
            )
        return n_components
    n_components = as_int("n_components", n_components, minimum=0)
    if n_components > n_features:
        raise ValueError(
            f"n_components={n_components} is more than the {n_features} energy features."
        )
    return n_components


def cross_products(first, second, share, mean_dose=None):
    r"""Products of the whitened residuals of two thinned halves, summed over pixels.

    The residual of pixel i and feature j,

    .. math:: Y_{ij} = (X_{ij} - N_i p_j) / \sqrt{N_i p_j},

    has unit variance for counts of one composition whatever the dose N_i. Two halves share no
    noise: the noise eigenvalues of :math:`Y_A^T Y_B`, made symmetric, lie symmetrically about zero.

    Parameters
    ----------
    first, second : scipy.sparse.csr_array (pixels, features)
        Thinned counts.
    share : array (features,)
        Mean spectrum p, sums to one.
    mean_dose : float, optional
        Dose of half a pixel that stands for each pixel's own.

    Returns
    -------
    array (features, features)
    """
    n_pixels, n_features = first.shape
    root = np.sqrt(share).astype(np.float32)
    doses = [
        row_sums(half) if mean_dose is None else np.full(n_pixels, mean_dose)
        for half in (first, second)
    ]
    products = np.zeros((n_features, n_features))
    for start in range(0, n_pixels, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        a, b = (
            _residuals(half[rows], dose[rows], root)
            for half, dose in zip((first, second), doses, strict=True)
        )
        products += a.T @ b
    return products


def _residuals(counts, doses, root):
    dense = counts.toarray().astype(np.float32)
    scale = np.sqrt(np.maximum(doses, 0.5)).astype(np.float32)[:, None]
    dense /= scale * root
    dense -= doses.astype(np.float32)[:, None] / scale * root
    return dense


def leading_eigenpairs(matrix, n_leading):
    """Largest eigenvalues of a symmetric matrix with their vectors, and the smallest one.

    Parameters
    ----------
    matrix : array (n, n)
        Symmetric.
    n_leading : int
        How many are wanted.

    Returns
    -------
    eigenvalues : array (n_leading,)
        Descending.
    eigenvectors : array (n, n_leading)
        In columns.
    smallest : float
    """
    n = len(matrix)
    n_leading = int(min(n_leading, n))
    if 4 * n_leading > n:
        return _from_all_eigenpairs(matrix, n_leading)
    # A fixed start makes the iteration repeatable.
    start = np.ones(n)
    try:
        values, vectors = linalg.eigsh(matrix, n_leading, which="LA", v0=start)
        smallest = linalg.eigsh(matrix, 1, which="SA", v0=start, return_eigenvectors=False)[0]
    except linalg.ArpackNoConvergence:  # eigenvalues that are very much alike
        return _from_all_eigenpairs(matrix, n_leading)
    order = np.argsort(-values)
    return values[order], vectors[:, order], smallest


def _from_all_eigenpairs(matrix, n_leading):
    values, vectors = np.linalg.eigh(matrix)
    return values[: -n_leading - 1 : -1], vectors[:, : -n_leading - 1 : -1], values[0]


def noise_edge(smallest, n_features, n_pixels):
    """Upper edge of the noise eigenvalues of a thinned cross-covariance.

    The larger of minus the smallest eigenvalue (noise is symmetric about zero) and of
    the edge sqrt(2 J / n) that J features and n pixels of pure noise have in theory,
    with a margin for the fluctuation of the largest eigenvalue.

    Parameters
    ----------
    smallest : float
        Smallest eigenvalue.
    n_features, n_pixels : int
        Size of the counts it was estimated from.

    Returns
    -------
    float
    """
    margin = 1.1 + n_features ** (-2 / 3)
    return float(margin * max(-smallest, np.sqrt(2 * n_features / n_pixels)))


def elbow(eigenvalues, n_considered=20):
    """Change point of the scree plot.

    The point farthest from the straight line between the first and the last of the
    eigenvalues considered, on a logarithmic scale.

    Parameters
    ----------
    eigenvalues : array
        Eigenvalues, descending.
    n_considered : int
        Longest scree plot to look at.

    Returns
    -------
    int
        Number of components before the change point.

    References
    ----------
    V. Satopaa et al., 31st ICDCS Workshops (2011) 166.

    Examples
    --------
    >>> elbow(np.array([100.0, 50.0, 1.2, 1.1, 1.0, 0.9]))
    2
    """
    values = eigenvalues[:n_considered]
    values = np.log(values[values > 0])
    if len(values) < 3:
        return len(values)
    line = np.linspace(values[0], values[-1], len(values))
    return int(np.argmax(line - values))


def project(counts, reduction):
    r"""Counts of pixels along the axes, before each pixel is divided by its dose.

    Parameters
    ----------
    counts : scipy.sparse.csr_array (pixels, features)
        Counts X.
    reduction : Reduction
        Reduction from `find_axes`.

    Returns
    -------
    array of float32 (pixels, n_components)
        :math:`V^T x_i / \sqrt{p}`, whose sum over pixels belongs to their summed counts.
    """
    return (counts @ (reduction.components / np.sqrt(reduction.share)[:, None])).astype(np.float32)


def whitened_scores(projected, doses, reduction):
    r"""Whitened scores of pixels: composition in units of a typical pixel's shot noise.

    .. math:: z_i = \sqrt{N_{typ}}\, V^T (x_i / N_i - p) / \sqrt{p}

    Parameters
    ----------
    projected : array (pixels, n_components)
        From `project`.
    doses : array (pixels,)
        Counts N of each pixel.
    reduction : Reduction
        Reduction from `find_axes`.

    Returns
    -------
    array of float32 (pixels, n_components)
        Pixels without any count lie at the mean composition, zero.
    """
    if not reduction.normalize:
        doses = np.full(len(doses), reduction.dose)
    centre = np.sqrt(reduction.share) @ reduction.components
    values = projected / np.maximum(doses, 1)[:, None].astype(np.float32)
    values -= centre.astype(np.float32)
    values[doses == 0] = 0
    return np.float32(np.sqrt(reduction.dose)) * values
