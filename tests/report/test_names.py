import re

import pytest

from hyperspy_clusterquant.report.names import (
    CONTENTS,
    file_name,
    others_in,
    write_contents,
)


@pytest.mark.parametrize(
    "name", ["<b>ß & co</b>", "../../etc/passwd", "CON", "a" * 300, "", ".", "C:\\x", "x\n", "相"]
)
def test_names_are_those_of_files_everywhere(name, tmp_path):
    made = file_name(7, name)
    assert re.fullmatch(r"07(_[A-Za-z0-9._-]*[A-Za-z0-9])?", made)
    assert len(made) < 50
    (tmp_path / f"{made}.msa").write_text("")
    assert [of.name for of in tmp_path.iterdir()] == [f"{made}.msa"]


def test_a_name_says_which_cluster_it_is():
    assert file_name(0, "Ag-rich phase") == "00_Ag-rich_phase"
    assert file_name(1, "a") != file_name(2, "a")


OURS = {"report.html": "page", "tables/k_factors.csv": 'of "c"', "spectra/00_a_b_sum.msa": "sum"}


@pytest.fixture
def folder(tmp_path):
    """A folder with files as they are exported."""
    for name in OURS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def test_files_of_others_are_known(folder):
    assert others_in(folder) == sorted(OURS)
    write_contents(folder, OURS)
    assert (folder / CONTENTS).exists()
    assert others_in(folder) == []
    (folder / "tables" / "mine").write_text("")
    assert others_in(folder) == ["tables/mine"]


@pytest.mark.parametrize("head", ["name,size", "file,what", "report.html", "\xff"])
def test_a_list_of_somebody_else_makes_no_folder_ours(folder, head):
    text = "\n".join([head, *OURS])
    (folder / CONTENTS).write_bytes(text.encode("latin1"))
    assert others_in(folder) == sorted([CONTENTS, *OURS])


@pytest.mark.parametrize("name", ["thesis.docx", "tables/mine.xlsx", "spectra/a.msa", "report.htm"])
def test_what_is_never_exported_is_of_others_whatever_a_list_says(folder, name):
    (folder / name).write_text("")
    write_contents(folder, OURS | {name: "mine"})
    assert others_in(folder) == [name]


@pytest.mark.parametrize("name", [".DS_Store", "tables/Thumbs.db", "spectra/desktop.ini"])
def test_what_file_managers_leave_is_of_nobody(folder, name):
    write_contents(folder, OURS)
    (folder / name).write_text("")
    assert others_in(folder) == []
