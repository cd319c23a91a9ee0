"""The user guide as a notebook."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def guide_notebook(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    import guide_notebook

    yield guide_notebook
    sys.modules.pop("guide_notebook")


GUIDE = """# User guide

(named)=
## Load

See [](phases.md), [this](#low-counts) and [](large_maps.md#chunks).

```python
import mine
```

```python
>>> x = [1,
...      2]
>>> for y in x:
...     print(y)  # doctest: +SKIP
1
2

```

The end.
"""


def test_examples_become_cells_without_prompts_and_output(guide_notebook):
    first, inline, text, code, end = guide_notebook.notebook(GUIDE)["cells"]
    assert "".join(code["source"]) == "x = [1,\n     2]\nfor y in x:\n    print(y)"
    assert code["cell_type"] == "code"
    assert code["outputs"] == []
    assert [cell["cell_type"] for cell in (first, inline, text, end)] == [
        "markdown",
        "code",
        "markdown",
        "markdown",
    ]
    assert "".join(end["source"]) == "The end."


def test_text_has_nothing_that_only_sphinx_understands(guide_notebook):
    text = "".join(guide_notebook.notebook(GUIDE)["cells"][2]["source"])
    site = guide_notebook.SITE
    assert text.startswith("## Load")
    assert f"[*phases*]({site}/phases.html)" in text
    assert f"[this]({site}/user_guide.html#low-counts)" in text
    assert f"[*large maps*]({site}/large_maps.html#chunks)" in text
    assert "import mine" in text  # for maps of one's own, not a cell to run


def test_an_example_of_an_error_is_no_cell(guide_notebook):
    assert guide_notebook.is_to_run(">>> 1 + 1\n2\n")
    assert not guide_notebook.is_to_run(">>> 1 / 0\nTraceback (most recent call last):\n...\n")
    assert not guide_notebook.is_to_run('hs.load("map.bcf")\n')


def test_the_guide_becomes_a_notebook_of_valid_code(guide_notebook, tmp_path):
    guide_notebook.write_notebook(ROOT / "docs", tmp_path)
    notebook = json.loads((tmp_path / "user_guide.ipynb").read_text("utf8"))
    codes = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert len(codes) > 30
    for code in codes[1:]:  # the first is for IPython
        ast.parse(code)
    assert any("cluster_umap_hdbscan" in code for code in codes)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    texts = "".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] != "code")
    assert "](#" not in texts
    assert not re.search(r"\{\w+\}`", texts)  # roles of Sphinx
    assert ".md)" not in texts
