import csv

import numpy as np
import openpyxl
import pandas as pd
import pytest

from hyperspy_clusterquant.report.tables import write_csv, write_excel

FRAME = pd.DataFrame(
    {
        "name": ["=1+1", "<b>ß</b>", "bell\x07", "+x", None],
        "number": [1, 2, 3, 4, 5],
        "value (at%)": [0.1, np.nan, np.inf, -1e-300, 12345678.9],
        "is": [True, False, True, np.bool_(False), True],
    }
)


def test_excel_holds_numbers_as_numbers_and_texts_as_texts(tmp_path):
    write_excel(tmp_path / "a.xlsx", {"first": FRAME, "second": FRAME.iloc[:0]})
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["first", "second"]
    head, *rows = book["first"].iter_rows()
    assert [cell.value for cell in head] == list(FRAME.columns)
    assert [row[0].value for row in rows] == ["=1+1", "<b>ß</b>", "bell", "+x", None]
    assert {row[0].data_type for row in rows[:-1]} == {"s"}  # a formula would be "f"
    assert [row[1].value for row in rows] == [1, 2, 3, 4, 5]
    assert [row[2].value for row in rows] == [0.1, None, None, -1e-300, 12345678.9]
    assert [row[3].value for row in rows] == [True, False, True, False, True]
    assert [cell.value for cell in next(book["second"].iter_rows())] == list(FRAME.columns)


def test_csv_is_read_back(tmp_path):
    write_csv(tmp_path, {"first": FRAME})
    read = pd.read_csv(tmp_path / "first.csv")
    pd.testing.assert_frame_equal(read[["number", "value (at%)"]], FRAME[["number", "value (at%)"]])
    assert read["name"].tolist()[:2] == ["'=1+1", "<b>ß</b>"]
    assert (tmp_path / "first.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_of_a_csv_file_is_a_formula(tmp_path, start):
    text = f"{start}HYPERLINK(1)"
    frame = pd.DataFrame({text: [text, "-1.5", -1.5, True], "number": [-1.0, 2.0, -3e-9, np.nan]})
    write_csv(tmp_path, {"first": frame})
    with open(tmp_path / "first.csv", newline="", encoding="utf-8-sig") as file:
        head, first, *others = csv.reader(file)
    assert head == [f"'{text}", "number"]
    assert first == [f"'{text}", "-1.0"]
    assert others == [["-1.5", "2.0"], ["-1.5", "-3e-09"], ["True", ""]]
    assert frame.columns[0] == text
