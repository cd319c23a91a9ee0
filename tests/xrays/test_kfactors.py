import copy
import multiprocessing
import pickle

import numpy as np
import pytest

from hyperspy_clusterquant import KFactors
from hyperspy_clusterquant.xrays.kfactors import kfactors_of_standard, read_kfactors


def test_csv_file(tmp_path):
    path = tmp_path / "k.csv"
    path.write_text("line,k,relative_uncertainty\nFe_Ka, 1.45, 0.05\nPt_La, 5.08,\n")
    found = read_kfactors(path)
    assert found == {"Fe_Ka": 1.45, "Pt_La": 5.08}
    assert found.relative_uncertainty == {"Fe_Ka": 0.05}
    found.to_csv(tmp_path / "again.csv")
    again = read_kfactors(tmp_path / "again.csv")
    assert (again, again.relative_uncertainty) == (found, found.relative_uncertainty)
    path.write_text("line,k,relative_uncertainty\nFe_Ka,1.45,5%\n")
    with pytest.raises(ValueError, match=r"0\.05 stands for 5 %.*'5%'"):
        read_kfactors(path)
    path.write_text("line,k\nFe_Ka,1.45\nFe_Ka,1.5\n")
    with pytest.raises(ValueError, match="more than one k-factor of Fe_Ka"):
        read_kfactors(path)
    path.write_text("line,k,uncertainty\nFe_Ka,1.45,0.05\n")
    with pytest.raises(ValueError, match=r"columns line,k.*'uncertainty'"):
        read_kfactors(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="columns line,k"):
        read_kfactors(str(path))


@pytest.mark.parametrize("k", [0, -1, np.nan, np.inf, "much"])
def test_kfactors_are_positive_numbers(k):
    with pytest.raises(ValueError, match="k-factor of Fe_Ka must be a positive number"):
        read_kfactors({"Fe_Ka": k})


def test_kfactors_of_another_kind():
    with pytest.raises(TypeError, match="dictionary"):
        read_kfactors([1.45, 5.08])


def test_unknown_lines():
    with pytest.raises(ValueError, match="'Zz' is no line"):
        read_kfactors({"Fe_Zz": 1.0})
    with pytest.raises(ValueError, match="'Qq' is not the symbol"):
        read_kfactors({"Qq_Ka": 1.0})


def iron():
    return KFactors({"Fe_Ka": 1.5, "S_Ka": 1.0}, {"Fe_Ka": 0.02}, {"Fe_Ka": "standard"})


def all_of(k):
    return type(k), dict(k), dict(k.relative_uncertainty), dict(k.sources)


def in_another_process(k):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(copy.copy, [k])[0]


@pytest.mark.parametrize(
    "copied",
    [
        KFactors.copy,
        copy.copy,
        copy.deepcopy,
        lambda k: copy.deepcopy({"of": [k]})["of"][0],
        lambda k: pickle.loads(pickle.dumps(k)),
        lambda k: pickle.loads(pickle.dumps(k, protocol=0)),
        lambda k: k | {},
        lambda k: {} | k,
        in_another_process,
    ],
)
def test_copies_keep_uncertainties_and_sources_and_so_do_the_originals(copied):
    k = iron()
    assert all_of(copied(k)) == all_of(iron())
    assert all_of(k) == all_of(iron())


def test_kfactors_with_others():
    k = iron()
    for more in (k | {"Cu_Ka": 1.9}, {"Cu_Ka": 1.9} | k):
        assert more == {"Fe_Ka": 1.5, "S_Ka": 1.0, "Cu_Ka": 1.9}
        assert more.relative_uncertainty == {"Fe_Ka": 0.02}
        assert more.sources == {"Fe_Ka": "standard", "S_Ka": "given", "Cu_Ka": "given"}
    replaced = k | {"Fe_Ka": 1.6}
    assert (replaced["Fe_Ka"], replaced.relative_uncertainty) == (1.6, {})
    assert replaced.sources["Fe_Ka"] == "given"
    assert all_of({"Fe_Ka": 1.6} | k) == all_of(k)
    with_theirs = k | KFactors({"S_Ka": 1.1}, {"S_Ka": 0.1, "Fe_Ka": 0.5}, {"S_Ka": "theory"})
    assert with_theirs.relative_uncertainty == {"Fe_Ka": 0.02, "S_Ka": 0.1}
    assert with_theirs.sources == {"Fe_Ka": "standard", "S_Ka": "theory"}
    before = k
    k |= {"Fe_Ka": 1.7}
    assert all_of(k) == all_of(iron() | {"Fe_Ka": 1.7})
    assert all_of(before) == all_of(iron())
    with pytest.raises(TypeError):
        k | [("Cu_Ka", 1.9)]


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k.__setitem__("Fe_Ka", 1.7),
        lambda k: k.__delitem__("Fe_Ka"),
        lambda k: k.update({"Fe_Ka": 1.7}),
        lambda k: k.pop("Fe_Ka"),
        lambda k: k.popitem(),
        lambda k: k.setdefault("Cu_Ka", 1.9),
        lambda k: k.clear(),
        lambda k: k.relative_uncertainty.update({"Fe_Ka": 0.5}),
        lambda k: k.sources.pop("Fe_Ka"),
    ],
)
def test_kfactors_cannot_be_changed(change):
    k = iron()
    with pytest.raises(TypeError, match=r"cannot be changed\. Make a new one: (k|old) \| {"):
        change(k)
    with pytest.raises(AttributeError):
        k.relative_uncertainty = {}
    with pytest.raises(AttributeError):
        k.sources = {}
    assert all_of(k) == all_of(iron())


def test_what_the_message_says_drops_a_line_and_keeps_the_rest():
    k, lines = iron(), ["Fe_Ka"]
    found = KFactors({line: k[line] for line in lines}, k.relative_uncertainty, k.sources)
    assert all_of(found) == (KFactors, {"Fe_Ka": 1.5}, {"Fe_Ka": 0.02}, {"Fe_Ka": "standard"})


def test_kfactors_are_a_dictionary():
    k = iron()
    assert isinstance(k, dict)
    assert k == {"Fe_Ka": 1.5, "S_Ka": 1.0} == {**k}
    assert repr(k) == repr(dict(k)) == "{'Fe_Ka': 1.5, 'S_Ka': 1.0}"
    assert (type(dict(k)), type({**k})) == (dict, dict)
    assert k != iron() | {"Fe_Ka": 1.6}


def test_standard_by_hand():
    found = kfactors_of_standard(
        np.array([1000.0, 400.0]), np.array([32.0, 20.0]), ["S_Ka", "Fe_Ka"], [0.4, 0.6], "S_Ka"
    )
    assert found["S_Ka"] == 1.0
    assert found["Fe_Ka"] == pytest.approx(0.6 / 400 * 1000 / 0.4)
    assert found.relative_uncertainty == {"S_Ka": 0.032, "Fe_Ka": 0.05}
    assert set(found.sources.values()) == {"standard"}
