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


def test_files_of_others_are_known(tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("a, b.txt", "tables/c.csv"):
        (tmp_path / name).write_text("")
    assert others_in(tmp_path) == ["a, b.txt", "tables/c.csv"]
    write_contents(tmp_path, {"a, b.txt": "text", "tables/c.csv": 'of "c"'})
    assert (tmp_path / CONTENTS).exists()
    assert others_in(tmp_path) == []
    (tmp_path / "tables" / "mine").write_text("")
    assert others_in(tmp_path) == ["tables/mine"]
