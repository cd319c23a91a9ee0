"""What is said in two places is the same in both."""

import json
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]

#: Names of Python packages that conda-forge gives other names.
ON_CONDA = {
    "dask[array]": "dask-core",
    "hyperspy[speed]": "hyperspy",
    "lazy_loader": "lazy-loader",
    "matplotlib": "matplotlib-base",
    "rosettasciio[hdf5]": "rosettasciio",
    "rosettasciio[zspy]": "rosettasciio",
}
#: What extras bring, for which conda has no word.
OF_EXTRAS = {"numexpr", "h5py", "zarr"}


def read(path):
    return yaml.safe_load((ROOT / path).read_text("utf8"))


def test_the_recipe_needs_what_the_package_needs():
    # conda compiles what pip would have to, and so needs no markers
    needed = [requirement.partition(";")[0] for requirement in PROJECT["dependencies"]]
    split = [re.fullmatch(r"(.+?)(>=.+)", requirement).groups() for requirement in needed]
    expected = {f"{ON_CONDA.get(name, name)} {bound}" for name, bound in split}
    recipe = read("recipe/recipe.yaml")
    asked = set(recipe["requirements"]["run"]) - OF_EXTRAS
    assert asked - expected == {"python >=${{ python_min }}"}
    assert expected - asked == set()
    assert PROJECT["requires-python"] == f">={recipe['context']['python_min']}"


def test_every_python_that_is_promised_is_tested():
    promised = {c.rsplit(" :: ", 1)[1] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    matrix = read(".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert set(matrix["python"]) == promised
    extremes = {min(promised), max(promised)}
    for system in ("macos-latest", "windows-latest"):
        assert {i["python"] for i in matrix["include"] if i["os"] == system} == extremes


def test_zenodo_and_citation_say_the_same():
    citation, zenodo = read("CITATION.cff"), json.loads((ROOT / ".zenodo.json").read_text("utf8"))
    assert zenodo["title"] == citation["title"] == PROJECT["name"]
    assert zenodo["description"] == citation["abstract"].strip()
    assert zenodo["keywords"] == citation["keywords"]
    assert zenodo["license"] == citation["license"] == PROJECT["license"]
    assert [c["name"] for c in zenodo["creators"]] == [a["name"] for a in citation["authors"]]
    of = {related["identifier"] for related in zenodo["related_identifiers"]}
    assert {reference["doi"] for reference in citation["references"]} <= of
    assert citation["repository-code"] in of


def test_news_can_be_collected():
    types = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["tool"]["towncrier"]["type"]
    kinds = "|".join(kind["directory"] for kind in types)
    # towncrier takes anything but a number in the place of the last one for the same fragment twice
    name = re.compile(rf"(\d+|\+[\w-]+)\.({kinds})(\.\d+)?\.md|README\.md")
    assert [f.name for f in (ROOT / "news").iterdir() if not name.fullmatch(f.name)] == []
