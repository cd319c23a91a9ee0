"""
k-factors from a standard
=========================

Theory knows k-factors to some 3 % for K lines and to 17 % for L lines. A standard of known
composition, measured on the same instrument, knows them better.
"""

import matplotlib.pyplot as plt
import numpy as np

from hyperspy_clusterquant import calibrate_kfactors, data, theoretical_kfactors

# %%
# The standard is a map or a spectrum; its composition is given in at%, or as a formula such as
# ``"CuFeS2"``.

standard = data.seven_cation_nanoparticles(size=64, counts_per_pixel=300)
known = dict(Ag=19.19, Co=3.24, Cu=11.3, Ga=2.88, In=7.72, Mn=0.90, S=51.92, Zn=2.84)
measured = calibrate_kfactors(standard, known, extra_elements=["C", "Au"])
theory = theoretical_kfactors(list(measured), beam_energy=200)

# %%
# Both know how well they are known. They go into ``cluster_quantification(kfactors=...)`` as they
# are, and into a file with ``measured.to_csv("kfactors.csv")``.

lines = list(measured)
places = np.arange(len(lines))
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for shift, k, name in ((-0.15, theory, "theory"), (0.15, measured, "standard")):
    values = np.array([k[line] for line in lines])
    errors = [k[line] * k.relative_uncertainty.get(line, 0) for line in lines]
    ax.errorbar(places + shift, values, errors, fmt="o", capsize=3, label=name)
_ = ax.set_xticks(places, lines)
_ = ax.set(ylabel="k-factor by weight, S K$\\alpha$ = 1", ylim=0)
legend = ax.legend()
