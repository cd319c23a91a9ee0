import hashlib
import subprocess

import hyperspy.api as hs
import numpy as np
import pytest

from hyperspy_clusterquant import data
from hyperspy_clusterquant.signals.origins import path_of
from hyperspy_clusterquant.signals.provenance import calls_of, digest_of, origin_of

KFACTORS = {"Ag_La": 1.31, "Cd_La": 1.37, "Cu_Ka": 1.6, "Fe_Ka": 1.4, "Mn_Ka": 1.35, "S_Ka": 1.0,
            "Zn_Ka": 1.7}  # fmt: skip


@pytest.fixture
def loaded(sulfide, tmp_path):
    """A map from a file."""
    sulfide.save(tmp_path / "a map.hspy")
    return hs.load(tmp_path / "a map.hspy")


def done_again(calls):
    names = {}
    exec(calls, names)
    return names


def test_the_calls_do_it_again(loaded):
    result = loaded.cluster_pca_gmm(4, exclude_lines=["C"], random_state=3, name="mine")
    result = result.rename(["a'b", "<b>", "ß", "d"])
    table = loaded.cluster_quantification(
        result, kfactors=KFACTORS, kfactor_uncertainty=0.03, extra_elements=["C", "Au"],
        absorption={"thickness": 80}, composition_units="weight",
    )  # fmt: skip
    names = done_again(calls_of(loaded, result, table, {"map_significance": {"level": 0.01}}))
    assert names["result"].name == "mine"
    assert names["result"].cluster_names == result.cluster_names
    assert np.array_equal(names["result"].labels, result.labels)
    assert names["table"].weight_percent == pytest.approx(table.weight_percent, abs=1e-4)
    assert names["table"].std == pytest.approx(table.std, rel=1e-3)
    assert names["table"].unit == "wt%"


@pytest.mark.filterwarnings("ignore:Theoretical k-factors")
def test_what_nobody_declared_is_found_again(loaded):
    loaded.cluster_pca_gmm(4)
    with pytest.warns(UserWarning, match="no declared element"):
        table = loaded.cluster_quantification(extra_elements=["C"], weights="membership")
    calls = calls_of(loaded, loaded.clusters["pca_gmm"], table)
    assert "extra_elements=[]" in calls  # no line of carbon is on the axis
    assert "kfactors" not in calls
    with pytest.warns(UserWarning, match="no declared element"):
        again = done_again(calls)["table"]
    assert np.array_equal(again.atomic_percent, table.atomic_percent)


def test_what_cannot_be_said_in_a_call_is_said(sulfide):
    mask = np.zeros((56, 64), dtype=bool)
    mask[:4] = True
    result = sulfide.cluster_pca_gmm(4, navigation_mask=mask).merge([0, 1])
    calls = calls_of(sulfide, result)
    assert "s = ...  # not known: made in memory, or" in calls
    assert "navigation_mask=mask" in calls
    assert "Of 4 clusters, 3 are left" in calls
    other = data.six_cation_sulfide(size=32, channels=512)
    assigned = other.assign_clusters(result)
    assert "The clusters are 'assigned'" in calls_of(other, assigned)


def test_lazy_maps_are_loaded_lazily(loaded, tmp_path):
    loaded.cluster_pca_gmm(2)
    loaded.save(tmp_path / "b.zspy")
    lazy = hs.load(tmp_path / "b.zspy", lazy=True)
    calls = calls_of(lazy, lazy.clusters["pca_gmm"])
    assert done_again(calls)["s"]._lazy
    assert len(digest_of(path_of(lazy))) == 64


def test_the_file_is_known_by_its_hash(loaded, tmp_path):
    origin = origin_of(loaded)
    assert origin.file == str(tmp_path / "a map.hspy")
    told = subprocess.run(["sha256sum", origin.file], capture_output=True, check=False, text=True)
    expected = told.stdout.split()[0] if told.returncode == 0 else None
    with open(origin.file, "rb") as file:
        assert origin.digest == hashlib.sha256(file.read()).hexdigest()
    assert expected in (None, origin.digest)
    assert origin.facts["beam energy"] == "200 keV"
    assert origin.facts["pixels (size of one)"] == "64 (17.86 nm) × 56 (17.86 nm)"
    (tmp_path / "a map.hspy").unlink()
    assert origin_of(loaded).digest == "not known: the file is not there any more"


def test_a_map_in_memory_has_no_file(sulfide):
    assert origin_of(sulfide).file == origin_of(sulfide).digest == ""


def test_what_is_in_a_folder_counts(tmp_path):
    (tmp_path / "a").mkdir()
    for name, text in (("x", "1"), ("y", "2")):
        (tmp_path / "a" / name).write_text(text)
    first = digest_of(tmp_path / "a")
    (tmp_path / "a" / "y").rename(tmp_path / "a" / "z")
    assert digest_of(tmp_path / "a") != first


def test_large_files_are_not_read(tmp_path):
    with open(tmp_path / "big", "wb") as file:
        file.truncate(5 * 2**30)
    assert digest_of(tmp_path / "big") == "not made of the 5.0 GB of the file"


def test_of_a_part_of_a_map_the_file_is_known(loaded, tmp_path):
    whole = origin_of(loaded)
    part = loaded.inav[:40].rebin(scale=[2, 2, 1])
    result = part.cluster_pca_gmm(3, binning=1)
    origin = origin_of(part)
    assert (origin.file, origin.digest) == (whole.file, whole.digest)
    assert origin.in_words == f"{whole.file} (cropped, binned or turned since it was loaded)"
    assert whole.in_words == whole.file
    calls = calls_of(part, result).splitlines()
    crop = next(n for n, line in enumerate(calls) if "s = s.inav[...]" in line)
    calls[crop] = "s.set_signal_type('EDS_TEM_clustered'); s = s.inav[:40].rebin(scale=[2, 2, 1])"
    again = done_again("\n".join(calls))["result"]
    assert np.array_equal(again.labels, result.labels)


def test_a_map_of_which_no_file_is_known_may_be_of_one(sulfide):
    assert "or cropped, binned or copied since" in origin_of(sulfide).in_words


@pytest.mark.filterwarnings("ignore:Theoretical k-factors", "ignore:The energy axis")
@pytest.mark.parametrize(
    ("asked", "called"),
    [
        ({"sublattices": [["Cu", "Ag"], ["Fe", "Mn", "Zn", "Cd"]]}, "sublattices="),
        ({"kfactor_uncertainty": {"Cu_Ka": 0.01}}, "kfactor_uncertainty={'Cu_Ka': 0.01}"),
        ({"kfactor_uncertainty": 0.02}, "kfactor_uncertainty="),
        ({"detector": "Be"}, "detector='Be'"),
        ({"detector": [(1.0, 0.4), (20.0, 0.9)]}, "kfactors="),
        ({"thin_film": True}, "thin_film=True"),
    ],
)
def test_what_was_asked_of_the_quantification_is_called(loaded, tmp_path, asked, called):
    if "thin_film" in asked:
        loaded.set_microscope_parameters(beam_energy=30)
        loaded.set_elements(["S", "Fe", "Cu"])
    result = loaded.cluster_pca_gmm(4)
    options = {"extra_elements": ["C", "Au"], "method": "windows"} | asked
    table = loaded.cluster_quantification(result, **options)
    calls = calls_of(loaded, result, table)
    assert called in calls
    again = done_again(calls)["table"]
    assert again.sublattices == table.sublattices
    assert again.atomic_percent == pytest.approx(table.atomic_percent, abs=1e-4)
    assert again.std == pytest.approx(table.std, rel=1e-4)
    assert again.configurational_entropy == pytest.approx(table.configurational_entropy, abs=1e-5)
