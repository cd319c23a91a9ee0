"""Draw the pictures of the documentation from the phantoms.

Run with ``python docs/make_pictures.py``.
"""

from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import hyperspy.api as hs
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backend_bases import MouseEvent

from hyperspy_clusterquant import compare_clusterings, data

FOLDER = Path(__file__).parent / "_static"
DPI = 110


def main():
    """Cluster the phantoms and save the pictures."""
    hs.preferences.General.show_progressbar = False
    FOLDER.mkdir(exist_ok=True)
    s = data.six_cation_sulfide(seed=0)
    result = s.cluster_pca_gmm()
    table = s.cluster_quantification(result, extra_elements=["C", "O", "Au"])
    save(map_and_spectra(s, result), "six_cation_clusters")
    save(s.plot_cluster_scree(result).figure, "six_cation_scree")
    save(s.plot_cluster_scores(result).figure, "six_cation_scores")
    lines = ["Fe_Ka", "Mn_Ka", "Ag_La"]
    elements = s.plot_cluster_elements(result, xray_lines=lines, overlay=lines, smoothing=1)
    save(elements[0].figure, "six_cation_elements")
    save(table.plot().figure, "six_cation_composition")
    save(table.plot_ternary(["Ag+Cd", "Mn+Zn", "Cu+Fe"]).figure, "six_cation_ternary")
    jalpaite = int(table.atomic_percent[:, table.elements.index("Ag")].argmax())
    save(table.plot_fit(jalpaite)[0].figure, "six_cation_fit")
    save(low_counts(), "low_counts")
    save(explorer(s, result), "explorer")
    report(s, result, table, jalpaite)
    particles = data.seven_cation_nanoparticles(size=96, counts_per_pixel=60)
    save(particles.map_significance().plot()[0].figure, "particle_maps")
    section = data.six_cation_sulfide(size=96, counts_per_pixel=60)
    four = section.cluster_pca_gmm(exclude_lines=["C"])
    eight = section.cluster_pca_gmm(8, exclude_lines=["C"], name="eight")
    save(compare_clusterings(eight, four).plot()[0].figure, "comparison")


def save(figure, name):
    """Save a figure and close it."""
    figure.savefig(FOLDER / f"{name}.png", dpi=DPI)
    plt.close(figure)


def map_and_spectra(s, result):
    """Map of the clusters with their spectra on its right."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 3.6), width_ratios=[1, 1.75], layout="constrained"
    )
    s.plot_clusters(result, ax=left)
    s.plot_cluster_spectra(result, ax=right)
    # The legend of the map names the clusters for both.
    right.get_legend().remove()
    return figure


def explorer(s, result):
    """The explorer of three clusters, after a lasso around the fourth phase among the scores."""
    window = s.explore_clusters(result.merge([0, 3]))
    # Drawn among what the window shows: a mask made of all counts would have seen the half that
    # is tested.
    angles = np.linspace(0, 2 * np.pi, 100)
    draw_lasso(window.figure, -1 + 2.1 * np.cos(angles), 0.7 + 2.1 * np.sin(angles))
    return window.figure


def draw_lasso(figure, x, y):
    """Draw along a curve among the scores with the mouse."""
    figure.canvas.draw()
    scores = next(ax for ax in figure.axes if ax.get_title("left").startswith("Scores"))
    places = scores.transData.transform(np.column_stack([x, y]))
    moves = ["motion_notify_event"] * (len(places) - 2)
    for name, place in zip(
        ["button_press_event", *moves, "button_release_event"], places, strict=True
    ):
        figure.canvas.callbacks.process(name, MouseEvent(name, figure.canvas, *place, button=1))


def report(s, result, table, cluster):
    """The page of a report in a browser, with one cluster clicked."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as drivers:
        page = s.cluster_report(Path(folder) / "report.html", result, quantification=table)
        browser = drivers.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1000, "height": 900})
        tab.goto(page.as_uri())
        tab.locator(".legend button").nth(cluster).click()
        tab.mouse.move(0, 0)
        part = {"x": 0, "y": 0, "width": 1000, "height": 1450}
        tab.screenshot(path=FOLDER / "report.png", full_page=True, clip=part)
        browser.close()


def low_counts():
    """The same map of 6 counts per pixel, learned pixel by pixel and learned binned."""
    s = data.six_cation_sulfide(size=256, counts_per_pixel=6)
    alone = s.cluster_pca_gmm(n_clusters=4, binning=1, neighbourhood=0, name="binning_1")
    binned = s.cluster_pca_gmm(n_clusters=4, name="binning_auto")
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.0), layout="compressed")
    for ax, result in zip(axes, (alone, binned), strict=True):
        s.plot_clusters(result, ax=ax)
        ax.get_legend().remove()
    return figure


if __name__ == "__main__":
    main()
