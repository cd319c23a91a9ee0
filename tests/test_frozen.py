"""What is frozen: nobody can change a table, nor a copy of it, and it knows its equals."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
import tables

from hyperspy_clusterquant._frozen import Frozen, FrozenDict

TABLES = {
    "SignificanceTable": (tables.significance, "difference"),
    "MapSignificance": (tables.line_maps, "dispersion"),
    "ClusterStability": (tables.stable, "jaccard"),
    "ClusteringComparison": (tables.comparison, "overlap"),
}
COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda table: pickle.loads(pickle.dumps(table)),
}


def arrays_in(value):
    """All arrays of a table, also those of the results and tables in it."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Frozen):
        value = tuple(getattr(value, field.name) for field in fields(value))
    if isinstance(value, dict):
        value = tuple(value.values())
    return [array for part in value for array in arrays_in(part)] if type(value) is tuple else []


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", TABLES)
def test_copies_are_frozen_and_equal(name, how):
    table = TABLES[name][0]()
    other = COPIES[how](table)
    assert type(other).__name__ == name
    assert other == table
    assert repr(other) == repr(table)
    assert len(arrays_in(other)) >= 3
    for array in arrays_in(table) + arrays_in(other):
        assert not array.flags.writeable


@pytest.mark.parametrize("name", TABLES)
def test_another_number_is_another_table(name):
    make, field = TABLES[name]
    table = make()
    changed = getattr(table, field).copy()
    changed[(-1,) * changed.ndim] += 0.01
    other = replace(table, **{field: changed})
    assert other != table
    assert replace(other, **{field: getattr(table, field)}) == table
    assert table != 1


@pytest.mark.parametrize("name", TABLES)
def test_nobody_changes_a_table_through_what_it_was_made_of(name):
    make, field = TABLES[name]
    table = make()
    with pytest.raises(FrozenInstanceError):
        setattr(table, field, None)
    mine = getattr(table, field).copy()
    made = replace(table, **{field: mine})
    mine[:] = -1
    assert made == table


def test_what_matches_cannot_be_changed():
    matched = tables.comparison().matched
    assert isinstance(matched, FrozenDict)
    with pytest.raises(TypeError, match="cannot be changed"):
        matched[0] = 1


def test_tables_go_to_other_processes():
    made = [make() for make, _ in TABLES.values()]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert list(pool.map(repr, made)) == list(map(repr, made))
