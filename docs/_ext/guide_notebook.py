"""The user guide as a notebook: its examples as cells, everything else as text between them."""

import json
import re
import zlib

SITE = "https://hyperspy-clusterquant.readthedocs.io/en/stable"
START = """# hyperspy-clusterquant: user guide

The examples of the [user guide]({site}/user_guide.html) as cells to run, on a simulated map whose
truth is known. Blocks that are not cells are for maps of your own."""
#: Pictures in the notebook, and the value of every line, as in the guide, not of the last one only.
MAGIC = """%matplotlib inline
%config InteractiveShell.ast_node_interactivity = 'all'"""
#: Fences of examples with prompts, and of everything else.
FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def write_notebook(docs, folder):
    """Write ``user_guide.ipynb`` to a folder, made of the guide in the folder of the pages."""
    guide = (docs / "user_guide.md").read_text("utf8")
    (folder / "user_guide.ipynb").write_text(json.dumps(notebook(guide), indent=1), "utf8")


def notebook(guide):
    """Notebook of a guide, a dictionary."""
    cells = [text_cell(START.format(site=SITE)), code_cell(MAGIC)]
    text = ""
    end = 0
    for fence in FENCE.finditer(guide):
        text += guide[end : fence.start()]
        end = fence.end()
        if fence[1] == "python" and is_to_run(fence[2]):
            cells += [text_cell(text), code_cell(without_prompts(fence[2]))]
            text = ""
        else:
            text += fence[0]
    cells.append(text_cell(text + guide[end:]))
    return {
        "cells": [cell for cell in cells if "".join(cell["source"]).strip()],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def is_to_run(example):
    """Whether an example is one to run: it has prompts, and shows no error."""
    return example.startswith(">>> ") and "\nTraceback " not in example


def without_prompts(example):
    """Lines with prompts, without these and without the output."""
    lines = re.findall(r"^(?:>>>|\.\.\.)(?: (.*))?$", example, re.MULTILINE)
    return "\n".join(re.sub(r"\s*# doctest:.*$", "", line) for line in lines)


def text_cell(text):
    """Cell of Markdown, without what only Sphinx understands."""
    text = re.sub(r"^# User guide\n", "", text, flags=re.MULTILINE)
    text = re.sub(r" *\{download\}`[^`]*`[^.]*\.", "", text)
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^]]*)\]\((?:user_guide\.md)?#([\w-]+)\)", link_in_guide, text)
    text = re.sub(r"\[([^]]*)\]\((\w+)\.(?:md|rst)(#[\w-]+)?\)", link_to_page, text)
    text = re.sub(r"\]\(_static/", f"]({SITE}/_static/", text)
    return {"cell_type": "markdown", "metadata": {}, **numbered(text.strip())}


def link_in_guide(found):
    """Link to a section of the guide on the web."""
    return f"[{found[1] or words(found[2])}]({SITE}/user_guide.html#{found[2]})"


def link_to_page(found):
    """Link to another page on the web."""
    return f"[{found[1] or words(found[2])}]({SITE}/{found[2]}.html{found[3] or ''})"


def words(name):
    """Name of a page or section, in words."""
    return f"*{name.replace('_', ' ').replace('-', ' ')}*"


def code_cell(code):
    """Cell of code without output."""
    empty = {"execution_count": None, "metadata": {}, "outputs": []}
    return {"cell_type": "code", **empty, **numbered(code)}


def numbered(source):
    """Source of a cell as notebooks store it, and the cell's name."""
    return {"id": f"{zlib.crc32(source.encode()):08x}", "source": source.splitlines(keepends=True)}
