"""The table of the README says what was measured."""

import re
import warnings
from pathlib import Path

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import compare_clusterings, data

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf8")
BENCHMARKS = (ROOT / "benchmarks" / "README.md").read_text("utf8")


def row(start, text=README):
    """Cells of the only row of a table that starts like that, without the first."""
    (line,) = re.findall(rf"^\| {re.escape(start)}.*\|$", text, re.MULTILINE)
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.parametrize(
    ("workflow", "script", "ours"),
    [
        ("1", "HyperSpy, `decomposition(True)`, k-means", "`cluster_pca_gmm(n_clusters=4)`"),
        ("2", "raw spectra, UMAP, HDBSCAN", "`cluster_umap_hdbscan()`"),
    ],
)
def test_time_memory_and_agreement_are_those_of_the_benchmarks(workflow, script, ours):
    full, few = re.split("^## With 9 counts", BENCHMARKS, flags=re.MULTILINE)
    for what, column in (("time", 0), ("memory", 2), ("agreement", 5)):
        measured = [row(route, full)[column] for route in (script, ours)]
        assert row(f"Workflow {workflow}, {what}") == measured, what
    # the second table of the benchmarks has the best settings of the script first
    script = {"1": "HyperSpy, 20 components, vacuum not masked", "2": script}[workflow]
    measured = [row(route, few)[1] for route in (script, ours)]
    assert row(f"9 counts per pixel: agreement, workflow {workflow}") == measured


def test_the_fast_solver_is_that_of_the_benchmarks():
    seconds, _, memory, *_ = row("the same with `output_dimension=20`", BENCHMARKS)
    assert f"takes it {seconds} and {memory}" in " ".join(README.split())


def test_false_positives_are_those_of_the_documentation():
    text = " ".join((ROOT / "docs" / "how_it_works.md").read_text("utf8").split())
    (found,) = re.findall(r"Of 200 maps of one composition split in two, (.*?) are called", text)
    shares = [float(share) for share in re.findall(r"([\d.]+) %", found)]
    assert len(shares) == 3
    assert row("One composition")[1] == f"{min(shares)} % to {max(shares)} %"


def test_memory_of_a_large_map_is_that_of_the_documentation():
    (start,) = re.findall(r"^\| (1024 x 1024 pixels.*?) \|", README, re.MULTILINE)
    pages = (ROOT / "docs" / "large_maps.md").read_text("utf8")
    peaks = [
        float(gigabytes)
        for line in pages.splitlines()
        if line.startswith("| 1024 x 1024 | 2048 |")
        for gigabytes in re.findall(r"([\d.]+) GB", line)
    ]
    assert row(start)[1] == f"{max(peaks)} GB, lazy"


def windows(sums, s, lines):
    """Compositions in at% of spectra, an array, with exspy alone; all else is that of the map."""
    spectra = hs.signals.Signal1D(sums)
    axis, of_map = spectra.axes_manager.signal_axes[0], s.axes_manager.signal_axes[0]
    axis.scale, axis.offset, axis.units = of_map.scale, of_map.offset, of_map.units
    spectra.set_signal_type("EDS_TEM")
    spectra.metadata.Acquisition_instrument = s.metadata.Acquisition_instrument.deepcopy()
    truth = s.metadata.Ground_truth
    spectra.set_elements(truth.elements)
    spectra.set_lines(lines)
    intensities = spectra.get_lines_intensity(
        background_windows=spectra.estimate_background_windows([5.0, 2.0])
    )
    used = [image.metadata.Sample.xray_lines[0] for image in intensities]
    kfactors = [truth.kfactors[line] for line in used]
    images = spectra.quantification(intensities, "CL", kfactors, plot_result=False)
    of = {line.split("_")[0]: image.data for line, image in zip(used, images, strict=True)}
    return np.array([of[element] for element in truth.elements]).T


def numbers(cell):
    return [float(number) for number in re.findall(r"[\d.]+", cell)]


def test_compositions():
    """Largest errors, and how often the truth lies within the error bars, of three maps."""
    errors, z, sums = [], [], []
    for seed in range(3):
        s = data.six_cation_sulfide(size=96, seed=seed)
        truth = s.metadata.Ground_truth
        labels = np.asarray(truth.labels)
        result = s.cluster_pca_gmm(n_clusters=4)
        table = s.cluster_quantification(
            result, kfactors=truth.kfactors, extra_elements=["C", "O", "Au"]
        )
        phases = compare_clusterings(np.where(labels >= 0, result.labels, -2), labels).matched
        order = [phases[k] for k in range(4)]
        errors.append(table.atomic_percent - np.asarray(truth.compositions)[order])
        z.append(errors[-1] / table.std)
        sums += [s.data[labels == phase].sum(axis=0, dtype=float) for phase in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exspy's own
        of_script = windows(sums, s, table.xray_lines) - np.tile(truth.compositions, (3, 1))
    largest = [np.abs(of_script).max(), np.abs(errors).max()]
    within = [100 * np.mean(np.abs(z) < width) for width in (1, 2)]
    # Another version of a library may round otherwise.
    script, ours = row("Compositions: largest error")
    assert numbers(script) == pytest.approx(largest[:1], abs=1)
    assert numbers(ours) == pytest.approx(largest[1:], abs=0.1)
    assert numbers(row("Compositions: the truth")[1]) == pytest.approx(within, abs=5)
