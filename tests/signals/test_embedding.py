"""What users say of phases in others, and what tables say of them."""

import re

import numpy as np
import pytest
import samples
import xraylib
from tables import result as made_up

from hyperspy_clusterquant import ClusterResult, data
from hyperspy_clusterquant.signals.embedding import read_embedding

ELEMENTS = ("Cr", "Fe", "Ni", "Ti")


def clusters(*names):
    return made_up(len(names), cluster_names=names)


STEEL = clusters("carbide", "matrix", "film", "oxide")


def read(embedded=None, absent=None, result=STEEL):
    return [
        (each.cluster, each.hosts, each.absent)
        for each in read_embedding(result, embedded, absent, ELEMENTS)
    ]


# --- what is said -------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", ["carbide", 0, np.int64(0)])
@pytest.mark.parametrize("host", ["matrix", 1, ["matrix"], (1,), np.array([1])])
def test_clusters_are_named_or_numbered(cluster, host):
    assert read({cluster: host}) == [(0, (1,), ())]
    assert read({cluster: host}, {"carbide": "Fe"}) == [(0, (1,), ("Fe",))]
    assert read({"carbide": "matrix"}, {cluster: ["Fe"]}) == [(0, (1,), ("Fe",))]


def test_several_hosts_stay_in_their_order():
    assert read({"carbide": ["film", 1]}) == [(0, (2, 1), ())]
    assert read({"oxide": ("matrix", "carbide"), 0: "film"}) == [(3, (1, 0), ()), (0, (2,), ())]


def test_absent_elements_are_named_once():
    found = read({"carbide": "matrix", "oxide": "matrix"}, {"carbide": ["Ni", "Fe", "Ni"]})
    assert found == [(0, (1,), ("Ni", "Fe")), (3, (1,), ())]
    # All but one may be absent, and none need be.
    assert read({0: 1}, {0: ["Cr", "Fe", "Ni"]}) == [(0, (1,), ("Cr", "Fe", "Ni"))]
    for nothing in ([], None, ()):
        assert read({0: 1}, {0: nothing}) == [(0, (1,), ())]


def test_nothing_said_is_nothing_asked():
    assert read() == read({}) == read({}, {}) == read(None, {}) == []


def test_hosts_may_lie_in_others():
    """A core in its shell on a film, or in two that lie on it."""
    found = read({"carbide": "oxide", "oxide": ["film"]})
    assert found == [(0, (3,), ()), (3, (2,), ())]
    assert len(read({"carbide": ["oxide", "matrix"], "oxide": "film", "matrix": "film"})) == 3


@pytest.mark.parametrize(
    ("embedded", "absent", "words"),
    [
        ({"carbide": "carbide"}, None, "'carbide' lies in itself. Name the phase around it"),
        ({0: ["matrix", "carbide"]}, None, "'carbide' lies in itself"),
        ({"carbide": "matrix", "matrix": 0}, None, "circle: 'carbide' lies, through its hosts,"),
        ({0: 1, 1: 2, 2: 0}, None, "goes in a circle"),
        ({0: 1, 1: 2, 2: 1}, None, "circle: 'matrix'"),
        ({0: [2, 1], 1: [2, 3], 3: [0]}, None, "goes in a circle"),
        ({"carbid": "matrix"}, None, "no cluster 'carbid' in the result 'a'; there are 0 .'carb"),
        ({"carbide": "steel"}, None, "no cluster 'steel' in the result 'a'"),
        ({"carbide": 4}, None, "no cluster 4 in the result 'a'"),
        ({-1: 0}, None, "no cluster -1"),
        ({"carbide": "matrix"}, {"Fe": "carbide"}, "no cluster 'Fe' in the result 'a'"),
        ({"carbide": "matrix"}, {"oxide": "Fe"}, "`absent` names 'oxide', which is not in `emb"),
        (None, {"carbide": "Fe"}, "`absent` names 'carbide', which is not in `embedded`: say wh"),
        ({0: 1}, {0: ["Fe", "V", "Zr"]}, "`absent` names V, Zr, but the quantified elements are"),
        ({0: 1}, {0: "Fe_Ka"}, r"names Fe_Ka, .* Cr, Fe, Ni, Ti. Declare .* s.add_elements"),
        ({0: 1}, {0: list(ELEMENTS)}, "`absent` leaves 'carbide' no element to hold"),
        ({"carbide": 1, 0: 2}, None, "`embedded` names a cluster twice: 'carbide', 0"),
        ({0: 1}, {0: "Fe", "carbide": "Ni"}, "`absent` names a cluster twice: 0, 'carbide'"),
        ({"carbide": []}, None, "must name one or more hosts of 'carbide', each once"),
        ({"carbide": ["matrix", 1]}, None, "must name one or more hosts of 'carbide', each once"),
    ],
)
def test_what_cannot_be(embedded, absent, words):
    with pytest.raises(ValueError, match=words):
        read(embedded, absent)


@pytest.mark.parametrize(
    ("embedded", "absent", "words"),
    [
        ("carbide", None, "`embedded` must be a dictionary by clusters, as in .*; got 'carbide'"),
        ([("carbide", "matrix")], None, "`embedded` must be a dictionary"),
        ({"carbide": "matrix"}, ["Fe"], r"`absent` must be a dictionary .*; got \['Fe'\]"),
        ({"carbide": None}, None, r"given by its number \(int\) or name \(str\), not None"),
        ({True: "matrix"}, None, "not True"),
        ({1.0: "carbide"}, None, "not 1.0"),
        ({"carbide": "matrix"}, {"carbide": [26]}, r"`absent` must be a list of texts .*\[26\]"),
    ],
)
def test_what_has_no_meaning(embedded, absent, words):
    with pytest.raises(TypeError, match=words):
        read(embedded, absent)


def test_several_clusters_of_one_name_are_numbered():
    twice = clusters("carbide", "steel", "steel")
    with pytest.raises(ValueError, match="Several clusters of the result 'a' are named 'steel'"):
        read({"carbide": "steel"}, result=twice)
    assert read({"carbide": 2}, result=twice) == [(0, (2,), ())]


# --- end to end ---------------------------------------------------------------------------

PHASES = {
    "matrix": {"Cr": 20.0, "Fe": 70.0, "Ni": 10.0, "Ti": 0.0},
    "carbide": {"Cr": 20.0, "Fe": 0.0, "Ni": 0.0, "Ti": 80.0},
    "film": {"Cr": 0.0, "Fe": 0.0, "Ni": 100.0, "Ti": 0.0},
}
NAMES = tuple(PHASES)
CR, FE, NI, TI = range(4)
TRUTH = {name: np.array(list(phase.values())) for name, phase in PHASES.items()}
#: Part of the foil that the carbide is, and film in units of the foil's counts.
DEPTH, FILM = 0.4, 0.15


class Foil:
    """Carbides in the left of a foil, both on a film of nickel, which lies alone on the right."""

    def __init__(self, depth=DEPTH, film=FILM, size=30):
        labels = np.zeros((size, size), dtype=int)
        labels[8:22, 4:16] = 1
        labels[:, 23:] = 2
        fractions = np.zeros((3, size, size))
        fractions[0] = (labels == 0) + (1 - depth) * (labels == 1)
        fractions[1] = depth * (labels == 1)
        fractions[2] = film
        self.signal = samples.phantom(PHASES, fractions, labels, 600.0, 0, channels=512)
        self.kfactors = self.signal.metadata.Ground_truth.kfactors
        memberships = (labels == np.arange(3)[:, None, None]).astype(float)
        self.result = ClusterResult(
            "true", "assigned", labels, memberships, np.zeros((size**2, 1)), [2.0], 1.0,
            cluster_names=NAMES,
        )  # fmt: skip
        self.tables = {}

    def quantified(self, **options):
        """The table, made once."""
        if (key := str(options)) not in self.tables:
            self.tables[key] = self.signal.cluster_quantification(
                self.result, kfactors=self.kfactors, extra_elements=["C", "Au"], **options
            )
        return self.tables[key]


@pytest.fixture(scope="module")
def foil():
    return Foil()


KNOWN = {"embedded": {"carbide": "matrix"}, "absent": {"carbide": ["Fe"]}, "background": "film"}
OPEN = {"embedded": {"carbide": "matrix"}, "background": "film"}


def is_near(table, name, at_least=0.3):
    """Whether the composition of a cluster is the true one within three std."""
    number = table.cluster_names.index(name)
    off = np.abs(table.atomic_percent[number] - TRUTH[name])
    return (off < at_least + 3 * table.std[number]).all()


def test_without_a_word_they_are_mixtures(foil):
    table = foil.quantified()
    assert not is_near(table, "carbide")
    assert not is_near(table, "matrix")
    assert table.embedded == ()
    assert np.isnan(table.embedded_range).all()
    assert np.isfinite(table.configurational_entropy[:2]).all()


def test_a_film_is_taken_off_all_others(foil):
    table = foil.quantified(background="film")
    assert is_near(table, "matrix")
    assert is_near(table, "film")
    mixture = foil.quantified()
    assert mixture.atomic_percent[0, NI] > TRUTH["matrix"][NI] + 5
    np.testing.assert_allclose(table.atomic_percent[2], mixture.atomic_percent[2], atol=0.5)
    # By its number, too.
    numbered = foil.quantified(background=2)
    np.testing.assert_array_equal(numbered.atomic_percent, table.atomic_percent)
    with pytest.raises(ValueError, match="no cluster 'vacuum' in the result"):
        foil.quantified(background="vacuum")


def test_what_is_known_to_be_absent_is_taken_off(foil):
    table = foil.quantified(**KNOWN)
    assert is_near(table, "carbide")
    assert is_near(table, "matrix")
    assert table.std[1].max() < 3
    assert table.atomic_percent[1, FE] == table.std[1, FE] == 0
    assert np.isnan(table.embedded_range).all()
    # Cr and Ti on one sublattice of all sites.
    expected = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert table.configurational_entropy[1] == pytest.approx(expected, abs=0.05)
    (each,) = table.embedded
    assert (each.cluster, each.hosts, each.absent) == (1, (0,), ("Fe",))
    # In a carbide's pixel there are 0.6 of the foil's counts, 0.4 of its own, and the film's carbon
    # was taken off with its nickel.
    assert each.share == pytest.approx(1 - DEPTH, abs=0.02 + 3 * each.share_std)
    area = np.sum(foil.result.labels == 1) / np.sum(foil.result.labels == 0)
    assert each.amounts[0] == pytest.approx((1 - DEPTH) * area, rel=0.05)


def test_the_table_says_what_was_taken_off(foil):
    table = foil.quantified(**KNOWN)
    text = str(table)
    (each,) = table.embedded
    said = r"carbide without matrix: (.*) ± (.*) of its counts are taken off, with which Fe vanish"
    for shown in (text, table._repr_html_(), table.to_latex()):
        share, std = map(float, re.search(said, shown).groups())
        assert share == pytest.approx(each.share, abs=0.1 * each.share_std)
        assert std == pytest.approx(each.share_std, rel=0.1)
    cells = table.to_dataframe(text=True)
    assert cells.loc["Fe", "carbide"] == "absent"
    assert "absent" not in cells["matrix"].to_list()
    assert "±" in cells.loc["Ti", "carbide"]
    # Numbers stay numbers.
    assert table.to_dataframe().loc["Fe", "carbide"].to_list() == [0, 0]
    assert table.upper_limit[1, FE] == 0
    table.plot().figure.canvas.draw()


def test_names_and_numbers_give_the_same_table(foil):
    numbered = foil.quantified(embedded={1: [0]}, absent={1: "Fe"}, background=2)
    assert numbered == foil.quantified(**KNOWN)


def test_without_that_knowledge_there_is_a_range(foil):
    table = foil.quantified(**OPEN)
    lower, upper = table.embedded_range
    assert np.isnan(lower[[0, 2]]).all()
    assert np.isnan(upper[[0, 2]]).all()
    pixels = foil.quantified(background="film").atomic_percent[1]
    for possible in (TRUTH["carbide"], pixels):
        assert ((lower[1] <= possible) & (possible <= upper[1])).all()
    # All iron may be of the matrix, and no more than all.
    assert lower[1, FE] == 0
    assert pixels[FE] < upper[1, FE] < pixels[FE] + 5
    assert upper[1, TI] - lower[1, TI] > 20
    (each,) = table.embedded
    assert each.amounts is None
    known = foil.quantified(**KNOWN).embedded[0].amounts[0]
    assert known < each.most[0] < 1.3 * known


def test_ranges_have_no_entropy(foil):
    table = foil.quantified(**OPEN)
    for values in (table.configurational_entropy, table.configurational_entropy_std):
        assert np.isfinite(values[0])
        assert np.isnan(values[1])
    assert table.to_dataframe(text=True).iloc[-1]["carbide"] == "-"


def test_the_table_says_the_range(foil, tmp_path):
    table = foil.quantified(**OPEN)
    lower, upper = (ends[1] for ends in table.embedded_range)
    text = str(table)
    assert "carbide in matrix: the counts alone cannot decide how much of matrix is in it" in text
    assert f"Ti {lower[TI]:.1f} to {upper[TI]:.1f} at%. Name in `absent` an element" in text
    cells = table.to_dataframe(text=True)
    for n, element in enumerate(ELEMENTS):
        assert cells.loc[element, "carbide"] == f"{lower[n]:.1f} to {upper[n]:.1f}"
        assert " to " not in cells.loc[element, "matrix"]
    assert "cannot decide" in table.to_latex()
    assert "cannot decide" in table._repr_html_()
    table.to_csv(tmp_path / "table.csv")
    table.plot().figure.canvas.draw()
    # What is known in at% is not shown as if it were wt%.
    weight = foil.quantified(**OPEN, composition_units="weight")
    assert weight.to_dataframe(text=True).loc["Ti", "carbide"] == "range below"
    assert f"Ti {lower[TI]:.1f} to {upper[TI]:.1f} at%" in str(weight)


def test_all_parts_of_a_fit_are_drawn(foil):
    table = foil.quantified(**KNOWN)
    drawn = {}
    for part in ("remaining", "subtracted", "whole"):
        top, below = table.plot_fit("carbide", part=part)
        top.figure.canvas.draw()
        assert "Residual" in below.get_ylabel()
        title = top.get_title()
        assert title.startswith("carbide" if part == "remaining" else f"carbide, {part}")
        (counts,) = [line for line in top.lines if line.get_label() == "counts"]
        drawn[part] = counts.get_ydata().sum()
    whole, parts = drawn["whole"], drawn["remaining"] + drawn["subtracted"]
    assert parts == pytest.approx(whole, rel=0.02)
    (each,) = table.embedded
    np.testing.assert_allclose(
        table.fits[1].counts + each.subtracted.counts, each.whole.counts, atol=1e-6
    )
    # By the number, and what is left unless said.
    assert table.plot_fit(1)[0].get_title() == table.plot_fit(1, part="remaining")[0].get_title()


def test_parts_of_what_was_not_subtracted_are_not_drawn(foil):
    known, unknown = foil.quantified(**KNOWN), foil.quantified(**OPEN)
    for table, name in ((known, "matrix"), (unknown, "carbide"), (foil.quantified(), "carbide")):
        for part in ("subtracted", "whole"):
            with pytest.raises(
                ValueError, match=f"Nothing was subtracted from {name}: part='{part}"
            ):
                table.plot_fit(name, part=part)
        table.plot_fit(name)
    with pytest.raises(ValueError, match="`part` must be one of 'remaining', 'subtracted', 'who"):
        known.plot_fit("carbide", part="host")


@pytest.mark.parametrize("weights", ["membership", "hard"])
def test_what_pixels_hold_without_their_hosts(foil, weights):
    table = foil.quantified(**KNOWN, weights=weights)
    # Blur moves little where the carbide is much larger than the beam.
    assert is_near(table, "carbide", at_least=1.0)
    assert table.atomic_percent[1, FE] == 0
    first = {"membership": "Members: what", "hard": "Labels: what"}[weights]
    assert first in str(table)
    assert "carbide without matrix" in str(table)
    ranges = foil.quantified(**OPEN, weights=weights).embedded_range
    assert ((ranges[0][1] <= TRUTH["carbide"]) & (TRUTH["carbide"] <= ranges[1][1])).all()


def test_absorption_is_that_of_the_phase_and_not_of_its_pixels(foil):
    """Factors by xraylib from what the table says the carbide is."""
    foil_of = {"thickness": 80, "density": 5.0}
    table = foil.quantified(**KNOWN, absorption=foil_of)
    assert table.atomic_percent[1, FE] == table.std[1, FE] == 0
    assert is_near(table, "carbide", at_least=1.0)
    angle = foil.signal.metadata.Acquisition_instrument.TEM.Detector.EDS.elevation_angle
    z = [xraylib.SymbolToAtomicNumber(element) for element in ELEMENTS]

    def factor(k, energy):
        """X-rays come evenly from all depths."""
        of_all = [xraylib.CS_Total(other, energy) for other in z]
        depth = np.dot(table.weight_percent[k] / 100, of_all) * 5.0 * 80e-7
        depth /= np.sin(np.radians(angle))
        return depth / -np.expm1(-depth)

    for k in range(2):
        for n, number in enumerate(z):
            expected = factor(k, xraylib.LineEnergy(number, xraylib.KL3_LINE)) - 1
            assert table.absorption_factors[k, n] - 1 == pytest.approx(expected, rel=0.02)
    # Softer lines of a family leave less, as what remains is fitted.
    thin, own = (
        next(f for f in of.fits[1].design.families if f.alpha == "Ti_Ka")
        for of in (foil.quantified(**KNOWN), table)
    )
    alpha, beta = (xraylib.LineEnergy(22, of) for of in (xraylib.KL3_LINE, xraylib.KM3_LINE))
    place = np.argmin(np.abs(own.energies - beta))
    expected = factor(1, alpha) / factor(1, beta) - 1
    assert own.weights[place] / thin.weights[place] - 1 == pytest.approx(expected, rel=0.03)
    assert expected > 1e-4
    text = str(table)
    assert "Absorption corrected for 80 nm" in text
    assert "carbide without matrix" in text
    lower, upper = foil.quantified(**OPEN, absorption={"thickness": 80}).embedded_range
    assert ((lower[1] <= TRUTH["carbide"]) & (TRUTH["carbide"] <= upper[1])).all()


def test_two_hosts(foil):
    """The film is one of them, instead of being taken off all others."""
    table = foil.quantified(
        embedded={"carbide": ["matrix", "film"], "matrix": "film"},
        absent={"carbide": ["Fe", "Ni"]},
    )
    assert is_near(table, "carbide")
    assert table.atomic_percent[1, [FE, NI]].tolist() == [0, 0]
    carbide, matrix = table.embedded
    # The film lies beneath the matrix, too, and goes with it; what is left is under the carbide.
    area = np.bincount(foil.result.labels.ravel())
    expected = [(1 - DEPTH) * area[1] / area[0], DEPTH * area[1] / area[2]]
    np.testing.assert_allclose(carbide.amounts, expected, rtol=0.1)
    assert matrix.amounts is None
    lower, upper = table.embedded_range
    assert ((lower[0] <= TRUTH["matrix"] + 0.1) & (TRUTH["matrix"] <= upper[0])).all()
    text = str(table)
    assert "carbide without matrix and film" in text
    assert "with which Fe and Ni vanish" in text
    assert "matrix in film: the counts alone cannot decide" in text


@pytest.mark.filterwarnings("ignore:.*overlap.*:UserWarning")
def test_windows(foil):
    table = foil.quantified(**KNOWN, method="windows")
    assert table.atomic_percent[1, FE] == 0
    # The windows of others hold a part of the chromium.
    assert (np.abs(table.atomic_percent[1] - TRUTH["carbide"]) < 5).all()
    assert "carbide without matrix" in str(table)
    with pytest.raises(ValueError, match="no peak fit"):
        table.plot_fit("carbide", part="subtracted")


@pytest.mark.parametrize(
    ("embedded", "absent", "words"),
    [
        ({"carbide": "matrix"}, {"carbide": ["Ti"]}, "matrix itself holds no Ti beyond its noise"),
        ({"matrix": "carbide"}, {"matrix": ["Cr"]},
         r"matrix cannot be free of Cr: without as much of carbide .*Ti -\d+ ± \d+ counts"),
        ({"carbide": "carbide"}, None, "lies in itself"),
        ({"carbide": "matrix"}, {"carbide": ["C"]}, "the quantified elements are Cr, Fe, Ni, Ti"),
        ({"carbide": "matrix"}, {"matrix": ["Ti"]}, "not in `embedded`"),
    ],
)  # fmt: skip
def test_what_the_counts_do_not_allow(foil, embedded, absent, words):
    with pytest.raises(ValueError, match=words):
        foil.quantified(embedded=embedded, absent=absent)


@pytest.mark.parametrize(
    "said", [{"embedded": {0: 1}}, {"absent": {0: "Fe"}}, {"background": 0}], ids=str
)
def test_a_single_spectrum_lies_in_nothing(foil, said):
    single = foil.signal.inav[3, 3]
    with pytest.raises(ValueError, match=r"no clusters \(`result`, `embedded`, `absent`, `backgr"):
        single.cluster_quantification(kfactors=foil.kfactors, **said)


@pytest.fixture(scope="module")
def thin():
    """The carbide is six hundredths of the foil."""
    foil = Foil(depth=0.06, film=0.0)
    return foil.quantified(embedded={"carbide": "matrix"}, absent={"carbide": ["Fe"]})


def test_a_thin_precipitate(thin):
    assert is_near(thin, "carbide")
    assert thin.std[1].max() < 10
    (each,) = thin.embedded
    assert each.share == pytest.approx(0.94, abs=0.02 + 3 * each.share_std)


def test_a_thin_precipitate_is_no_background(thin):
    assert not thin.background[1]


def with_an_empty_cluster(s):
    """A result by hand whose first cluster has no pixel."""
    labels = (np.indices(s.data.shape[:2])[1] > 8) + 1
    members = (labels == np.arange(3)[:, None, None]).astype(float)
    scores = np.zeros((labels.size, 1))
    return ClusterResult("empty", "by hand", labels, members, scores, [2.0], 1.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"embedded": {0: 1}}, "'cluster 0', which holds no counts"),
        ({"embedded": {0: 1}, "absent": {0: ["Cd"]}}, "'cluster 0', which holds no counts"),
        ({"embedded": {1: 0}}, "'cluster 0', which holds no counts"),
        ({"background": 0}, "`background` is 'cluster 0', which holds no counts"),
    ],
)
def test_clusters_without_pixels_are_named(asked, words):
    s = data.six_cation_sulfide(size=24, channels=512)
    known = {"kfactors": s.metadata.Ground_truth.kfactors, "extra_elements": ["C", "Au"]}
    with pytest.raises(ValueError, match=words):
        s.cluster_quantification(with_an_empty_cluster(s), **asked, **known)
