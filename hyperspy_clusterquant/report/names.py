"""Names of files, and what a folder of files holds."""

from __future__ import annotations

import csv
import re
import unicodedata

#: Longest part of the name of a file that comes from a cluster.
LONGEST = 40
#: File in which a folder says what was written to it.
CONTENTS = "contents.csv"


def file_name(number, name):
    """Name of a file for a cluster that every system takes, and that no other cluster has.

    Examples
    --------
    >>> file_name(0, "<b>Müller & co</b>"), file_name(3, "../x"), file_name(12, "相")
    ('00_b_Muller_co_b', '03_x', '12')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", plain)[:LONGEST].strip("._-")
    return f"{number:02d}_{plain}".rstrip("_")


def write_contents(folder, described):
    """Write what the files of a folder are, a dictionary of descriptions by their paths in it."""
    with open(folder / CONTENTS, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "what it is"])
        writer.writerows(described.items())


def others_in(folder):
    """Files in a folder that its list of contents does not name, list of str."""
    known = {CONTENTS}
    if (folder / CONTENTS).is_file():
        with open(folder / CONTENTS, newline="", encoding="utf-8") as file:
            known |= {row[0] for row in csv.reader(file) if row}
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(set(there) - known)
