"""The README does what it says, pasted into a notebook or a terminal, and can be shown anywhere."""

import code
import contextlib
import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import h5py
import hyperspy.api as hs
import matplotlib.pyplot as plt
import pytest
import readme_renderer.markdown as markdown
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from hyperspy_clusterquant import data

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```\n", README, re.MULTILINE | re.DOTALL)
#: Code, and what it shows if the README says so.
EXAMPLES = [
    (block, FENCES[k + 1][1] if k + 1 < len(FENCES) and FENCES[k + 1][0] == "text" else None)
    for k, (language, block) in enumerate(FENCES)
    if language == "python"
]
TRY, OWN = EXAMPLES[:-1], EXAMPLES[-1][0]

SITE = "https://hyperspy-clusterquant.readthedocs.io/"
REPOSITORY = "https://github.com/hyperspy/hyperspy-clusterquant"
RAW = "https://raw.githubusercontent.com/hyperspy/hyperspy-clusterquant/"


@pytest.fixture(autouse=True)
def _same_main(monkeypatch):
    """IPython's shells put a module of their own in the place of __main__."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


# --- what is pasted ---------------------------------------------------------------------------


def test_code_has_no_prompts_and_no_comments_for_tests():
    assert len(TRY) >= 3
    for block, _ in EXAMPLES:
        assert not re.search(r"^\s*(>>>|\.\.\. |\$|In \[)|doctest|BLANKLINE", block, re.MULTILINE)
        assert max(map(len, block.splitlines())) <= 80  # what PyPI shows without scrolling


class Notebook:
    """Cells of one session of IPython; each returns what it shows."""

    def __init__(self):
        config = Config()
        config.HistoryManager.enabled = False
        self.shell = InteractiveShell(config=config)

    def run(self, cell):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            done = self.shell.run_cell(cell)
        done.raise_error()
        return re.sub(r"^Out\[\d+\]: ", "", shown.getvalue(), flags=re.MULTILINE)


class Terminal:
    """A session of Python, into which a block is pasted line by line."""

    def __init__(self):
        self.console = code.InteractiveConsole()

    def run(self, block):
        with (
            contextlib.redirect_stdout(io.StringIO()) as shown,
            contextlib.redirect_stderr(io.StringIO()) as failed,
        ):
            unfinished = [self.console.push(line) for line in block.splitlines()][-1]
        assert not unfinished
        assert "Traceback" not in failed.getvalue(), failed.getvalue()
        return shown.getvalue()


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def assert_same(shown, said):
    """The same text; numbers may differ by one in the last digit that is said."""
    shown, said = (" ".join(text.split()) for text in (shown, said))
    ours, theirs = NUMBER.findall(said), NUMBER.findall(shown)
    assert NUMBER.sub("0", shown).split() == NUMBER.sub("0", said).split()
    for number, found in zip(ours, theirs, strict=True):
        step = 10.0 ** -len(number.partition(".")[2])
        assert abs(float(number) - float(found)) <= 1.01 * step, (number, found)


def test_the_comparison_sees_what_is_wrong():
    assert_same("a  1.24 ± 0.1\n", "a 1.23 ± 0.1")
    for shown in ("a 1.25 ± 0.1", "b 1.23 ± 0.1", "a 1.23 ± 0.1 c", "a 1.23"):
        with pytest.raises(AssertionError):
            assert_same(shown, "a 1.23 ± 0.1")


@pytest.mark.filterwarnings("ignore:Theoretical k-factors")
@pytest.mark.parametrize("session", [Notebook, Terminal])
def test_try_it(session):
    session = session()
    for block, said in TRY:
        shown = session.run(block)
        if said is not None:
            assert_same(shown, said)
    assert len(plt.get_fignums()) == 3


# --- a map of one's own -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a map of eXSpy's class, alone and together with an image."""
    folder = tmp_path_factory.mktemp("files")
    s = data.six_cation_sulfide(size=32, channels=512, counts_per_pixel=300)
    s.set_signal_type("EDS_TEM")
    image = s.sum(axis=-1).as_signal2D((0, 1))
    image.metadata.General.title = "HAADF"
    for name, signal in {"map": s, "image": image, "spectrum": s.sum(), "line": s.inav[0]}.items():
        signal.save(folder / f"{name}.hspy")
    s.save(folder / "map.zspy")
    s.save(folder / "map.rpl")
    with h5py.File(folder / "several.hspy", "w") as several:
        for name in ("image", "spectrum", "map"):
            with h5py.File(folder / f"{name}.hspy") as one:
                several.attrs.update(one.attrs)
                (experiment,) = one["Experiments"].values()
                one.copy(experiment, several.require_group("Experiments"), name=name)
    return folder


def of_file(block, path):
    assert block.count('"map.bcf"') == 1
    return block.replace('"map.bcf"', f'"{path.name}"')


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("map.hspy", (32, 32)),
        ("map.zspy", (32, 32)),
        ("map.rpl", (32, 32)),
        ("line.hspy", (32,)),
        ("several.hspy", (32, 32)),
    ],
)
def test_the_map_is_found_in_every_kind_of_file(files, name, shape, monkeypatch):
    monkeypatch.chdir(files)
    assert isinstance(hs.load(name, lazy=True), list) == (name == "several.hspy")
    session = {}
    exec(of_file(OWN, files / name).partition("result =")[0], session)
    assert type(session["s"]).__name__ == "LazyClusteredEDSSpectrum"
    assert session["s"].axes_manager.navigation_shape == shape
    assert session["s"].metadata.Acquisition_instrument.TEM.beam_energy == 200


def test_a_map_of_your_own(files, monkeypatch, tmp_path):
    (tmp_path / "several.hspy").write_bytes((files / "several.hspy").read_bytes())
    monkeypatch.chdir(tmp_path)
    kfactors = hs.load(files / "map.hspy").metadata.Ground_truth.kfactors.as_dictionary()
    lines = [f"{line},{k},0.03" for line, k in kfactors.items()]
    Path("my_kfactors.csv").write_text("\n".join(["line,k,relative_uncertainty", *lines]))
    shown = Notebook().run(of_file(OWN, Path("several.hspy")))
    assert "at%       cluster 0" in shown
    assert "distinct" in shown
    assert len(plt.get_fignums()) == 2
    assert "<html" in Path("report.html").read_text("utf8")
    assert list(hs.load("map_clustered.zspy").clusters) == ["pca_gmm"]


# --- where it is shown ------------------------------------------------------------------------


def targets():
    found = re.findall(r"\]\(([^)\s]+)\)", README)
    assert len(found) == README.count("](")
    return found


def test_links_and_pictures_are_absolute():
    """PyPI knows nothing of the files beside the README."""
    assert [target for target in targets() if not target.startswith("https://")] == []
    pictures = re.findall(r"!\[[^]]+\]\(([^)\s]+)\)", README)
    assert len(pictures) == README.count("![") >= 2
    assert [picture for picture in pictures if not picture.startswith(f"{RAW}main/")] == []
    assert not re.search(r"<(img|a)\b|^\[.+\]:", README, re.MULTILINE)


def page(path):
    """Source of a page of the documentation."""
    if path == "gallery/index":
        return ROOT / "examples" / "gallery" / "README.rst"
    (source,) = [
        file for suffix in (".md", ".rst") if (file := ROOT / "docs" / (path + suffix)).exists()
    ]
    return source


def anchors(source):
    """Labels and headings of a page."""
    text = re.sub(r"^```.*?^```", "", source.read_text("utf8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {*slugs, *re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)}


def test_own_links_lead_somewhere():
    own = [t for t in targets() if t.startswith((SITE, REPOSITORY, RAW))]
    assert len(own) > 10
    for target in own:
        if target.startswith(SITE):
            path, _, anchor = target.removeprefix(f"{SITE}en/stable/").partition("#")
            assert not path.startswith("https"), target
            source = page(path.removesuffix(".html"))
            assert not anchor or anchor in anchors(source), target
        else:
            path = re.sub(rf"^({REPOSITORY}/blob/main/|{RAW}main/)", "", target)
            assert (ROOT / path).is_file(), target


class Rendered(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_pypi_renders_it():
    html = markdown.render(README)
    tags = Rendered(html).tags
    names = [tag for tag, _ in tags]
    pictures = [attrs["src"] for tag, attrs in tags if tag == "img"]
    assert len(pictures) == README.count("![")
    assert all(picture.startswith(RAW) for picture in pictures)
    assert names.count("table") == 1
    assert names.count("pre") == len(FENCES)
    assert {a["href"] for tag, a in tags if tag == "a" and "href" in a} >= {
        t for t in targets() if not t.startswith(RAW)
    }
