import numpy as np
import openpyxl
import pandas as pd

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
    assert read["name"].tolist()[:2] == ["=1+1", "<b>ß</b>"]
    assert (tmp_path / "first.csv").read_bytes().startswith(b"\xef\xbb\xbf")
