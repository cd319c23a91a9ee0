"""Every public method has its page."""

import re
import sys
from pathlib import Path

import pytest

import hyperspy_clusterquant as cq

ROOT = Path(__file__).resolve().parents[2]
API = (ROOT / "docs" / "api.rst").read_text("utf8")
LISTED = {name.lstrip("~") for name in re.findall(r"^   (~?[\w.]+)$", API, re.MULTILINE)}


@pytest.fixture
def own_names(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    import own_names

    yield own_names
    sys.modules.pop("own_names")


def test_all_that_is_public_is_listed():
    assert set(cq.__all__) - LISTED <= {"__version__", "data"}


def test_all_methods_of_the_signal_are_listed(own_names):
    # what follows a map through HyperSpy's methods is no method of its own
    own = set(own_names.own_members("hyperspy_clusterquant.ClusteredEDSSpectrum"))
    own -= {"inav", "isig"}
    listed = {name.split(".")[1] for name in LISTED if name.startswith("ClusteredEDSSpectrum.")}
    assert own - listed == set()
    assert listed - own == {"clusters"}


def test_members_of_a_result_are_what_users_call(own_names):
    members = own_names.own_members("hyperspy_clusterquant.ClusterResult")
    assert {"n_clusters", "rename", "label_map"} <= set(members)
    assert not {"labels", "parameters", "_regroup"} & set(members)


def test_a_reference_is_no_item_of_a_list(own_names):
    # docutils takes a line that begins "G. " for item 7, if no other line follows
    item = re.compile(r"\n\n *References\n *-+\n *[A-Z]\. [^\n]*(\n *\n|\s*\Z)")
    assert item.search("About.\n\nReferences\n----------\nG. Cliff, J. Microsc.\n\nExamples")
    for name in (name for name in cq.__all__ if isinstance(getattr(cq, name), type)):
        made = getattr(cq, name)
        for member in own_names.own_members(f"hyperspy_clusterquant.{name}"):
            assert not item.search(getattr(made, member).__doc__ or ""), (name, member)
    for name in (name for name in cq.__all__ if callable(getattr(cq, name))):
        assert not item.search(getattr(cq, name).__doc__ or ""), name
