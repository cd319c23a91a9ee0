"""
Report and files
================

A colleague without Python reads the report in any browser: one page that holds everything.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from hyperspy_clusterquant import data

s = data.six_cation_sulfide(size=64)
result = s.cluster_pca_gmm(show_progressbar=False)
table = s.cluster_quantification(
    result,
    kfactors=s.metadata.Ground_truth.kfactors,
    extra_elements=["C", "Au"],
    show_progressbar=False,
)

# %%
# Point at the map in the page for the spectrum of a cluster, click it for fit and composition. With
# a path of your own instead of the temporary folder, it stays. ``s.export_clusters`` writes images
# that ImageJ reads, spectra as EMSA/MAS, and tables for Excel.

with TemporaryDirectory() as folder:
    page = s.cluster_report(
        Path(folder) / "report.html", quantification=table, show_progressbar=False
    )
    print(f"{page.name}: {page.stat().st_size / 1e6:.2f} MB")
    files = s.export_clusters(
        result, Path(folder) / "clusters", quantification=table, show_progressbar=False
    )
    print(*sorted(path.name for path in files), sep="\n")

# %%
# Pictures for the paper have the same colours.

ax = s.plot_clusters(result, shade=True)

# %%

ax = table.plot_ternary(["Ag+Cd", "Mn+Zn", "Cu+Fe"])
