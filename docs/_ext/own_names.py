"""Names in single backticks: what the package adds to a class, and what a page itself explains."""

import dataclasses
import functools
import importlib
import inspect

PACKAGE = "hyperspy_clusterquant"
#: Public classes that users meet but do not make, and their modules.
ELSEWHERE = {
    "KeptResults": f"{PACKAGE}.signals.kept",
    "ClusterLabelMap": f"{PACKAGE}.signals",
    "Selection": f"{PACKAGE}.explore.explorer",
}


def find(name):
    """Object of a dotted name of the package."""
    parts = name.split(".")
    try:
        return functools.reduce(getattr, parts[1:], importlib.import_module(parts[0]))
    except AttributeError:
        *module, name = parts
        return getattr(importlib.import_module(".".join(module)), name)


def own_members(fullname):
    """Public methods and properties that the package adds to a class, as the source has them."""
    members = {}
    for kind in reversed(find(fullname).__mro__):
        if kind.__module__.startswith(PACKAGE) and not kind.__module__.endswith("_frozen"):
            members |= vars(kind)
    return [name for name, member in members.items() if is_own(name, member)]


def is_own(name, member):
    """Whether a member is public and not a field, nor wraps a method of HyperSpy or exspy."""
    function = getattr(member, "fget", getattr(member, "func", member))
    function = getattr(function, "__func__", function)
    described = inspect.isfunction(function) and bool(function.__doc__)
    return described and not name.startswith("_") and not hasattr(function, "__wrapped__")


def is_named_on_page(app, env, node, contnode):
    """Resolve a name that belongs to the page: a parameter, or a field or member of the class.

    Any other name without a target stays an error.
    """
    target, page = node.get("reftarget"), node["refdoc"].rsplit("/", 1)[-1]
    if node.get("reftype") != "obj":
        return None
    if target.split(".")[0] in ELSEWHERE:
        return link(app, env, node, contnode, f"{ELSEWHERE[target.split('.')[0]]}.{target}")
    if not page.startswith(PACKAGE):
        return None
    for name in (page, page.rsplit(".", 1)[0]):
        of = find(name)
        if inspect.isclass(of) and target in own_members(name):
            return link(app, env, node, contnode, f"{name}.{target}")
        if callable(of) and target in inspect.signature(of).parameters:
            return contnode
        if dataclasses.is_dataclass(of) and target in {f.name for f in dataclasses.fields(of)}:
            return contnode
    return None


def link(app, env, node, contnode, name):
    """Link to a documented name of the package."""
    python = env.get_domain("py")
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)
