"""What is public is annotated; that the annotations are right is what mypy sees to."""

import inspect
from typing import get_overloads

import pytest

import hyperspy_clusterquant as cq
from hyperspy_clusterquant._frozen import Frozen, FrozenDict
from hyperspy_clusterquant.signals.kept import KeptResults

PUBLIC = {name: getattr(cq, name) for name in cq.__all__ if name not in ("data", "__version__")}
PUBLIC |= {
    "KeptResults": KeptResults,
    "six_cation_sulfide": cq.data.six_cation_sulfide,
    "seven_cation_nanoparticles": cq.data.seven_cation_nanoparticles,
}


def functions(of):
    """Public functions by their names: itself, or those of a class, properties among them.

    What wraps a method of HyperSpy or exspy has their signature.
    """
    if inspect.isfunction(of):
        return {of.__name__: of}
    members = {}
    for kind in reversed(of.__mro__):
        if kind.__module__.startswith(cq.__name__) and kind not in (Frozen, FrozenDict):
            members |= vars(kind)
    # a property has its function in `fget`, a cached one in `func`
    found = {k: getattr(m, "fget", getattr(m, "func", m)) for k, m in members.items()}
    return {
        name: function
        for name, function in found.items()
        if inspect.isfunction(function)
        and not name.startswith("_")
        and not hasattr(function, "__wrapped__")
    }


def without_annotation(function):
    signature = inspect.signature(function)
    of = {"return": signature.return_annotation}
    of |= {p.name: p.annotation for p in signature.parameters.values()}
    return [k for k, a in of.items() if a is inspect.Signature.empty and k not in ("self", "cls")]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_annotated(name):
    bare = {
        name: without_annotation(signature)
        for name, function in functions(PUBLIC[name]).items()
        for signature in get_overloads(function) or [function]
    }
    assert {name: missing for name, missing in bare.items() if missing} == {}


def test_the_check_sees_what_users_call():
    methods = functions(cq.ClusteredEDSSpectrum)
    assert {"cluster_pca_gmm", "cluster_quantification", "plot_clusters", "save"} <= set(methods)
    assert {"sizes", "rename"} <= set(functions(cq.ClusterResult))
    assert "consensus" in functions(cq.ClusterStability)
    assert without_annotation(lambda a: a) == ["return", "a"]
