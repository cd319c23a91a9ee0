"""
Embedded phases
===============

A precipitate in a foil has matrix above and below it. What lies in what is not in the counts;
say so, and it is taken off.
"""

import numpy as np
from scipy.ndimage import binary_erosion

from hyperspy_clusterquant import data

# %%
# A foil with precipitates is made of the spectra of two phases: discs of jalpaite, which reach
# through half of a foil of wurtzite.

sulfide = data.six_cation_sulfide(size=96, counts_per_pixel=2000)
truth = sulfide.metadata.Ground_truth
names = list(truth.phase_names)
wurtzite, jalpaite = (
    sulfide.data[binary_erosion(truth.labels == names.index(name), iterations=5)].mean(axis=0)
    for name in ("wurtzite", "jalpaite")
)
y, x = np.mgrid[:64, :64]
discs = (x % 32 - 16) ** 2 + (y % 32 - 16) ** 2 < 9**2
share = 0.5 * discs[..., None]
counts = 0.15 * ((1 - share) * wurtzite + share * jalpaite)

s = sulfide.inav[:64, :64]
s.data = np.random.default_rng(0).poisson(counts)

# %%
# Two clusters. The spectrum of the discs holds both phases, and a remark says that it may.

found = s.cluster_pca_gmm(2, show_progressbar=False).rename({0: "matrix", 1: "precipitate"})
asked = {
    "kfactors": truth.kfactors,
    "extra_elements": ["C", "Au"],
    "show_progressbar": False,
}
as_it_lies = s.cluster_quantification(found, **asked)
print(as_it_lies)

# %%
# Jalpaite holds next to no zinc. As much of the matrix is taken off as makes it vanish, and
# everything else follows: manganese, of which nobody said anything, nearly vanishes, too.

alone = s.cluster_quantification(
    found, embedded={"precipitate": "matrix"}, absent={"precipitate": ["Zn"]}, **asked
)
print(alone)

true = truth.compositions[names.index("jalpaite")]
print(
    "truth:", {element: round(float(x), 1) for element, x in zip(truth.elements, true, strict=True)}
)

# %%
# The spectrum before, and what is left of it:

axes = alone.plot_fit("precipitate", part="whole")

# %%
axes = alone.plot_fit("precipitate")
