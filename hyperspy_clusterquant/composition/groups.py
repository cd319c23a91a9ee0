"""Shares of groups of elements among themselves, as a ternary diagram shows them."""

from __future__ import annotations

import numpy as np


def shares_of_groups(percent, covariance, groups):
    r"""Shares of sums of elements of all groups together, with their covariance.

    With :math:`s_i` the sum of the elements of group i, the shares are
    :math:`f_i = 100\, s_i / \sum_j s_j`, and their covariance is :math:`J C J^T` with
    :math:`J = \partial f / \partial s`.

    Parameters
    ----------
    percent : array (n_elements,)
    covariance : array (n_elements, n_elements)
    groups : sequence of sequence of int
        Numbers of the elements of each group.

    Returns
    -------
    shares : array (n_groups,)
        In percent; NaN if nothing of them is there.
    covariance : array (n_groups, n_groups)

    Examples
    --------
    >>> shares, _ = shares_of_groups(np.array([20.0, 20.0, 10.0, 50.0]), np.zeros((4, 4)),
    ...                              [[0], [1], [2]])
    >>> shares.tolist()
    [40.0, 40.0, 20.0]
    """
    of_group = np.array([[n in group for n in range(len(percent))] for group in groups], float)
    sums = of_group @ percent
    total = sums.sum()
    if not total > 0:
        return np.full(len(groups), np.nan), np.full((len(groups),) * 2, np.nan)
    shares = sums / total
    jacobian = 100 * (np.eye(len(groups)) - shares[:, None]) / total @ of_group
    return 100 * shares, jacobian @ covariance @ jacobian.T
