import errno
import os
import re
from pathlib import Path

import pytest

from hyperspy_clusterquant.report.writing import (
    check_folder,
    check_no_working_folder,
    unwritten_named,
    whole_folder,
    with_suffix,
    write_text,
)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.html", "a.html"),
        ("a.HTM", "a.HTM"),
        ("a", "a.html"),
        ("map 2.5 nm", "map 2.5 nm.html"),
        ("run.2", "run.2.html"),
        (Path("x") / "a", "a.html"),
    ],
)
def test_the_suffix_is_added_where_there_is_none(given, name):
    assert with_suffix(given, (".html", ".htm"), "A report").name == name


@pytest.mark.parametrize("given", ["a.pdf", "a.docx", ""])
def test_other_suffixes_are_refused(given):
    with pytest.raises(ValueError, match=r"A report .*\.html"):
        with_suffix(given, (".html", ".htm"), "A report")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.*mkdir"):
        check_folder(tmp_path / "nowhere" / "a.html")
    check_folder(tmp_path / "a.html")


def test_text_is_there_as_a_whole(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")  # half a pair, which no file holds
    assert path.read_text() == "old"
    write_text(path, "µ\n")
    assert path.read_bytes() == b"\xc2\xb5\n"
    assert [of.name for of in tmp_path.iterdir()] == ["a.html"]


def test_others_may_read_what_is_written(tmp_path):
    expected = tmp_path / "usual"
    expected.write_text("")
    write_text(tmp_path / "a.html", "")
    with whole_folder(tmp_path / "folder"):
        pass
    (tmp_path / "usual folder").mkdir()
    assert os.stat(tmp_path / "a.html").st_mode == os.stat(expected).st_mode
    assert os.stat(tmp_path / "folder").st_mode == os.stat(tmp_path / "usual folder").st_mode


def test_a_folder_is_there_as_a_whole(tmp_path):
    path = tmp_path / "folder"

    def fail():
        with whole_folder(path) as folder:
            (folder / "part").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []
    with whole_folder(path) as folder:
        (folder / "a").write_text("old")
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (path / "a").read_text() == "old"
    with whole_folder(path) as folder:
        (folder / "b").write_text("new")
    assert [of.name for of in path.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch, failing):
    """Neither the old nor the new one may be moved: nothing is left beside it."""
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("old")
    moved, replace = [], os.replace

    def busy(source, target):
        moved.append(source)
        if len(moved) == failing:
            raise OSError("Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    with pytest.raises(OSError, match="busy"), whole_folder(path) as folder:
        (folder / "a").write_text("new")
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_put_back_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("precious")
    moved, replace = [], os.replace

    def broken(source, target):
        moved.append(source)
        if len(moved) > 1:
            raise OSError("gone")
        replace(source, target)

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="gone"), whole_folder(path) as folder:
        (folder / "a").write_text("new")
    assert [of.read_text() for of in tmp_path.rglob("a")] == ["precious"]


@pytest.mark.parametrize("name", [".", "..", "", "../here", "../../a"])
def test_the_working_folder_is_not_replaced(tmp_path, monkeypatch, name):
    (tmp_path / "a" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "here")
    with pytest.raises(ValueError, match="Give the name of a new folder in it"):
        check_no_working_folder(Path(name))
    check_no_working_folder(Path("new"))
    check_no_working_folder(Path("../other"))


@pytest.mark.parametrize(
    ("number", "kind", "cure"),
    [
        (errno.ENOSPC, OSError, "Free space there, or give a place on another disk"),
        (errno.EACCES, PermissionError, "Close what has it open, see whether you may write there"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path, number, kind, cure):
    path = tmp_path / "a.html"
    message = rf"The page could not .*{re.escape(str(path))}' \({os.strerror(number)}\)\. .*{cure}"
    with pytest.raises(kind, match=message) as raised, unwritten_named(path, "The page"):
        raise OSError(number, "said by the system", "somewhere")
    assert raised.value.errno == number
    assert raised.value.__cause__.filename == "somewhere"


def test_other_errors_are_raised_as_they_are(tmp_path):
    for error in (OSError("of a chunk that cannot be read"), ValueError("no counts")):
        with pytest.raises(type(error)) as raised, unwritten_named(tmp_path, "The page"):
            raise error
        assert raised.value is error


def test_ctrl_c_while_the_old_folder_is_removed(tmp_path, monkeypatch):
    """The new one is in its place by then."""
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("old")
    unlink, left = os.unlink, iter([True])

    def interrupted(*args, **kwargs):
        if next(left, False):
            raise KeyboardInterrupt
        unlink(*args, **kwargs)

    monkeypatch.setattr(os, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(path) as folder:
        (folder / "b").write_text("new")
    assert [of.name for of in path.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [path]
