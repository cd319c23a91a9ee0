"""The package as users install it."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ["umap", "numba", "xraylib", "matplotlib.pyplot", "pandas", "hyperspy", "dask", "sklearn"]


def python(code, executable=sys.executable, **kwargs):
    done = subprocess.run(
        [executable, "-c", code], capture_output=True, text=True, check=False, **kwargs
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_costs_nothing():
    loaded = python(
        "import sys, hyperspy_clusterquant as cq\n"
        "assert 'cluster_pca_gmm' not in dir(cq) and 'data' in dir(cq)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_hyperspy_does_not_import_the_plugin_before_it_is_used():
    code = "import sys, hyperspy.api\nprint([n for n in sys.modules if 'clusterquant' in n])"
    assert [n for n in eval(python(code)) if not n.startswith("__editable__")] == []


def test_using_the_class_does_not_load_what_only_some_methods_need():
    loaded = python(
        "import sys, numpy as np, hyperspy.api as hs\n"
        "s = hs.signals.Signal1D(np.ones((3, 4, 50)))\n"
        "s.set_signal_type('EDS_TEM_clustered')\n"
        "print([name for name in ['umap', 'numba', 'hdbscan', 'xraylib', 'pandas'] "
        "if name in sys.modules])"
    )
    # HyperSpy itself uses numba where it is installed.
    assert set(eval(loaded)) <= {"numba"}


def test_public_names_exist_and_are_documented():
    import hyperspy_clusterquant as cq

    for name in cq.__all__:
        value = getattr(cq, name)
        assert name == "__version__" or value.__doc__


@pytest.mark.skipif(sys.platform == "win32", reason="git makes no links on Windows")
def test_yaml_beside_the_repository_is_a_link_to_the_packages():
    link = ROOT / "hyperspy_extension.yaml"
    assert link.is_symlink()
    assert link.resolve() == ROOT / "hyperspy_clusterquant" / "hyperspy_extension.yaml"


def test_yaml_declares_the_signal_classes_as_they_are():
    from hyperspy_clusterquant import signals

    declared = yaml.safe_load(
        (ROOT / "hyperspy_clusterquant" / "hyperspy_extension.yaml").read_text("utf8")
    )["signals"]
    assert set(declared) == {n for n in signals.__all__ if isinstance(getattr(signals, n), type)}
    for name, kind in declared.items():
        assert kind["module"] == signals.__name__
        of = getattr(signals, name)
        assert of._lazy == kind["lazy"] == name.startswith("Lazy")
        assert (of._signal_type, of._signal_dimension, of._dtype) == (
            kind["signal_type"],
            kind["signal_dimension"],
            kind["dtype"],
        )


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


def test_wheel_and_sdist_are_complete(distributions):
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        names = wheel.namelist()
        entry_points = next(n for n in names if n.endswith("entry_points.txt"))
        assert "[hyperspy.extensions]" in wheel.read(entry_points).decode()
        assert any(n.endswith("licenses/LICENSE") for n in names)
    in_package = {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "hyperspy_clusterquant").rglob("*")
        if p.suffix in {".py", ".pyi", ".typed", ".yaml", ".js", ".css"}
    }
    assert in_package <= set(names)
    with tarfile.open(distributions["sdist"]) as sdist:
        names = {n.split("/", 1)[1] for n in sdist.getnames() if "/" in n}
    assert (
        in_package | {"README.md", "LICENSE", "pyproject.toml", "hyperspy_extension.yaml"} <= names
    )


def test_pypi_takes_them(distributions):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *distributions.values()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["editable", "wheel", "sdist"])
def test_installed_in_a_fresh_environment(kind, distributions, tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    executable = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    what = ["--editable", str(ROOT)] if kind == "editable" else [str(distributions[kind])]
    subprocess.run(
        [executable, "-m", "pip", "install", "--quiet", *what], check=True, capture_output=True
    )
    # pip brings what .zspy needs where that has wheels
    files = ["map.hspy", "map.zspy"] if sys.version_info < (3, 14) else ["map.hspy"]
    found = python(
        "import hyperspy.api as hs, numpy as np\n"
        "s = hs.signals.Signal1D(np.random.default_rng(0).poisson(5, (8, 8, 512)))\n"
        "s.set_signal_type('EDS_TEM_clustered')\n"
        "s.axes_manager[-1].units, s.axes_manager[-1].scale = 'keV', 0.02\n"
        "s.cluster_pca_gmm(show_progressbar=False)\n"
        f"for file in {files}:\n"
        "    s.save(file)\n"
        "    print(type(hs.load(file)).__name__, list(hs.load(file).clusters))\n",
        executable=executable,
        cwd=tmp_path,
    )
    assert found.splitlines() == ["ClusteredEDSSpectrum ['pca_gmm']"] * len(files)
