import dataclasses
import json

import numpy as np
import pytest
from companions import small_result

from hyperspy_clusterquant.results.clusters import ClusterResult
from hyperspy_clusterquant.results.stored import FORMAT, from_dict, to_dict


def same(a, b):
    for field in dataclasses.fields(ClusterResult):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            assert np.array_equal(x, y), field.name
        else:
            assert x == y, field.name


def test_what_is_stored_comes_back():
    result = small_result().rename({0: "jalpaite"})
    same(from_dict(to_dict(result)), result)
    told = dataclasses.replace(result, findings={"stability": ["3 clusters (2-4)"]})
    same(from_dict(to_dict(told)), told)
    assert "3 clusters (2-4)" in repr(from_dict(to_dict(told)))
    plain = dataclasses.replace(result, embedding=None, landmarks=None)
    same(from_dict(to_dict(plain)), plain)
    assert to_dict(result)["format"] == FORMAT


def with_spectra():
    return dataclasses.replace(
        small_result(), spectra=np.ones((3, 5)), energy=np.arange(5.0),
        learned_spectra=np.ones((3, 4)), learned_energy=np.arange(4.0),
    )  # fmt: skip


def test_what_was_stored_before_formats_had_numbers_is_read():
    result = with_spectra()
    fields = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
    del fields["findings"]  # came later
    texts = {name: json.dumps(fields[name]) for name in ("parameters", "axes", "cluster_names")}
    same(from_dict(fields | texts), result)


def test_what_a_newer_version_adds_is_ignored():
    result = with_spectra()
    same(from_dict(to_dict(result) | {"format": FORMAT + 1, "confidence": np.zeros(3)}), result)


def test_what_is_read_cannot_be_changed():
    stored = to_dict(small_result())
    stored["labels"] = stored["labels"].copy()
    result = from_dict(stored)
    with pytest.raises(ValueError, match="read-only"):
        stored["labels"][0, 0] = 5
    assert result.labels is stored["labels"], "large arrays are not copied"


@pytest.mark.parametrize(
    ("change", "why"),
    {
        "missing": ({"workflow": None, "labels": None}, "no labels, workflow"),
        "name": ({"name": 3}, "name should be text"),
        "json": ({"parameters": "{"}, "parameters cannot be read"),
        "other json": ({"axes": "[1, 2]"}, "axes should be a list of dict"),
        "names": ({"cluster_names": '["a"]'}, "1 names of 3 clusters"),
        "axes": ({"axes": "[{}]"}, r"axes have the sizes \(None,\), its labels \(3, 3\)"),
        "sizes": ({"axes": '[{"size": 5}, {"size": 6}]'}, r"sizes \(5, 6\), its labels"),
        "wrapped": ({"labels": np.full((3, 3), 2**32)}, "labels do not fit into int32"),
        "rows": ({"eigenvalues": np.ones((2, 2))}, "eigenvalues should be in one row"),
        "edge": ({"noise_edge": "low"}, "noise_edge should be a number"),
        "type": ({"labels": np.zeros((3, 3))}, "labels should be an array of int32"),
        "complex": ({"memberships": np.zeros((3, 3, 3), complex)}, "memberships should be"),
        "whole": ({"memberships": np.zeros((3, 3, 3), int)}, "memberships should be"),
        "text": ({"scores": "many"}, "scores should be an array"),
        "no array": ({"eigenvalues": np.float64(3.0)}, "eigenvalues should be an array"),
        "shape": ({"memberships": np.zeros((3, 2, 3))}, r"\(3, 2, 3\) and labels \(3, 3\)"),
        "findings": ({"findings": '{"stability": "3"}'}, "findings should be lists of sentences"),
        "too low": ({"labels": np.full((3, 3), -3)}, "labels are not all between -2 and 2"),
        "too high": ({"labels": np.full((3, 3), 3)}, "labels are not all between -2 and 2"),
        "negative": ({"memberships": np.full((3, 3, 3), -0.1)}, "memberships are not all"),
        "above 1": ({"memberships": np.full((3, 3, 3), 1.1)}, "memberships are not all"),
        "nan": ({"memberships": np.full((3, 3, 3), np.nan)}, "memberships are not all"),
        "scores": ({"scores": np.zeros((9, 2))}, r"scores \(9, 2\) and 8 pixels"),
        "spectra": ({"spectra": np.zeros((2, 5))}, r"spectra \(2, 5\) and energies \(5,\)"),
        "energy": ({"energy": None}, r"spectra \(3, 5\) and energies \(\)"),
        "learned": ({"learned_energy": np.zeros(3)}, "learned_spectra .* do not fit"),
        "landmarks": ({"landmarks": np.array([0, 4])}, "landmarks"),
        "outside": ({"landmarks": np.array([0, 4, 9])}, "landmarks"),
    }.values(),
)  # fmt: skip
def test_what_cannot_be_read_says_why(change, why):
    stored = to_dict(with_spectra()) | change
    with pytest.raises(ValueError, match=why):
        from_dict({name: value for name, value in stored.items() if value is not None})


def test_nothing_is_stored_that_could_not_be_read():
    wrong = dataclasses.replace(small_result(), scores=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="'a' cannot be kept: scores"):
        to_dict(wrong)
