"""The house as CONTRIBUTING draws it: where things lie, how long they are, who may know whom."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

import hyperspy_clusterquant

PACKAGE = Path(hyperspy_clusterquant.__file__).parent
TESTS = Path(__file__).parent
STATES = [
    "counts",
    "xrays",
    "clusters",
    "composition",
    "evidence",
    "results",
    "plotting",
    "report",
    "explore",
    "signals",
]

#: Modules that are tested through what is built on them, and the file that does.
TESTED_ELSEWHERE = {
    # a workflow is tested by what it finds in maps
    "clusters/catalogue": "clusters/test_recipe.py",
    "clusters/clustering": "signals/test_clustering.py",
    "clusters/labelling": "signals/test_clustering.py",
    "clusters/refine": "signals/test_clustering.py",
    "clusters/pca_gmm": "signals/test_clustering.py",
    "clusters/umap_hdbscan": "signals/test_clustering.py",
    "clusters/assign": "signals/test_steering.py",
    # the parts of a model are tested with it
    "clusters/shares": "clusters/test_blur.py",
    "clusters/places": "clusters/test_blur.py",
    # a report is tested as its readers see it, and its numbers against what they are of
    "report/content": "signals/test_reporting.py",
    "report/numbers": "signals/test_reporting.py",
    "report/sections": "signals/test_reporting.py",
    "report/making": "signals/test_reporting.py",
    "report/page": "signals/test_reporting.py",
    # what the signals floor does is tested method by method, as users call it
    # a window is driven by what the mouse does
    "explore/explorer": "signals/test_exploring.py",
}


def name(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


TREES = {name(path): ast.parse(path.read_text("utf8")) for path in sorted(PACKAGE.rglob("*.py"))}
LENGTHS = {
    name(path): len(path.read_text("utf8").splitlines()) for path in sorted(PACKAGE.rglob("*.py"))
}


def is_for_annotations(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def nodes(tree):
    """Every node of a tree that runs: all but what is only imported for annotations."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not is_for_annotations(child):
            yield from nodes(child)


def walk(kind):
    """Module and node of every node of a kind in the package, `_types` and annotations left out."""
    return [
        (module, node)
        for module, tree in TREES.items()
        if module != "_types"
        for node in nodes(tree)
        if isinstance(node, kind)
    ]


def n_lines(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


def is_public(node):
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def test_tests_mirror_the_package():
    def test_file(module):
        folder, file = module.split("/")
        return TESTS / folder / f"test_{file}.py"

    floors = [m for m in TREES if m.count("/") == 1 and m.split("/")[0] in STATES]
    public = [m for m in floors if any(map(is_public, TREES[m].body))]
    assert [m for m in public if not test_file(m).exists() and m not in TESTED_ELSEWHERE] == []
    assert [m for m in TESTED_ELSEWHERE if m not in TREES or test_file(m).exists()] == []
    assert [f for f in TESTED_ELSEWHERE.values() if not (TESTS / f).exists()] == []
    without_module = [
        file.relative_to(TESTS).as_posix()
        for state in STATES
        if state != "signals"
        for file in sorted((TESTS / state).glob("test_*.py"))
        if f"{state}/{file.stem.removeprefix('test_')}" not in TREES
    ]
    assert without_module == []


def test_a_module_is_read_in_one_sitting():
    assert {module: n for module, n in LENGTHS.items() if n > 400} == {}


def test_a_function_fits_a_screen():
    functions = walk(ast.FunctionDef | ast.AsyncFunctionDef)
    assert {f"{module}.{f.name}": n_lines(f) for module, f in functions if n_lines(f) > 60} == {}


def test_the_root_holds_the_states_and_nothing_more():
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert {e for e in entries if (PACKAGE / e).is_dir()} == set(STATES)
    files = {e for e in entries if (PACKAGE / e).is_file() and not e.startswith("_")}
    assert files == {"data.py", "images.py", "py.typed", "hyperspy_extension.yaml"}


def test_warnings_go_through_one_helper():
    calls = [
        f"{module}:{call.lineno}"
        for module, call in walk(ast.Call)
        if module != "_warn"
        and (
            ast.unparse(call.func) == "warnings.warn"
            or any(keyword.arg == "stacklevel" for keyword in call.keywords)
        )
    ]
    names = [
        f"{module}:{node.lineno}"
        for module, node in walk(ast.ImportFrom)
        if node.module == "warnings" and any(alias.name == "warn" for alias in node.names)
    ]
    assert calls + names == []


def test_counts_come_from_one_place():
    """The energies may lie anywhere in the memory of `signal.data`, see `axes.counts_of`."""
    readers = {
        module
        for module, node in walk(ast.Attribute)
        if ast.unparse(node) == "self.data" and module.startswith("signals/")
    }
    assert readers == set()


def imported(node):
    """Whole names of what is imported: those of a module, or of what is taken from it."""
    names = [alias.name for alias in node.names]
    return names if isinstance(node, ast.Import) else [f"{node.module}.{n}" for n in names]


def test_imports_make_no_circle():
    imports = {module: set() for module in TREES}
    for module, node in walk(ast.Import | ast.ImportFrom):
        for whole in imported(node):
            package, *parts = whole.split(".")
            if package == PACKAGE.name:
                taken = "/".join(parts), "/".join(parts[:-1])
                found = {*taken, *(f"{folder}/__init__" for folder in taken)}
                imports[module] |= found & set(TREES)
    assert sum(map(len, imports.values())) > 100
    graphlib.TopologicalSorter(imports).prepare()


@pytest.mark.parametrize(
    ("libraries", "where"),
    [
        ({"dask", "distributed"}, r"counts/(runners|blocked|passes)"),
        ({"hyperspy", "rsciio"}, r"signals/\w+|images|data"),
        ({"exspy"}, r"signals/\w+|data|xrays/lines"),
        ({"matplotlib", "mpl_toolkits"}, r"plotting/\w+|explore/(panels|pictures|view)"),
    ],
)
def test_libraries_are_known_where_they_belong(libraries, where):
    know = {
        module
        for module, node in walk(ast.Import | ast.ImportFrom)
        if libraries & {whole.split(".")[0] for whole in imported(node)}
    }
    assert know
    assert [module for module in know if not re.fullmatch(where, module)] == []


def test_every_state_says_what_it_is():
    for state in STATES:
        docstring = ast.get_docstring(TREES[f"{state}/__init__"]) or ""
        assert len(re.findall(r"[.!?](?=\s|$)", docstring)) >= 2, state
