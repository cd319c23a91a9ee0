"""Names of files, and what a folder of files holds."""

from __future__ import annotations

import csv
import re
import unicodedata

#: Longest part of the name of a file that comes from a cluster.
LONGEST = 40
#: File in which a folder says what was written to it.
CONTENTS = "contents.csv"
HEAD = ("file", "what it is")
#: Names of the files that are exported: others are never replaced, whatever a list says.
WRITTEN = re.compile(
    r"(report\.html|clusters\.png|(labels|memberships|line_maps)\.tif|tables\.xlsx"
    r"|tables/[a-z_]+\.csv|spectra/[0-9]{2,}[A-Za-z0-9._-]*_(sum|phase)\.msa)\Z"
)
#: What file managers leave in folders that were looked at.
OF_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")


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
        writer.writerow(HEAD)
        writer.writerows(described.items())


def others_in(folder):
    """Files in a folder that were not exported to it, list of str.

    Those that are there were exported if the list of contents has our head and names them, and
    they have names that we give. What file managers leave behind does not count.
    """
    known = _listed(folder)
    there = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(
        path.as_posix()
        for path in there
        if path.name not in OF_FILE_MANAGERS and path.as_posix() not in known
    )


def _listed(folder):
    """What a list of contents of ours names, and itself; nothing if there is none."""
    if not (folder / CONTENTS).is_file():
        return set()
    with open(folder / CONTENTS, newline="", encoding="utf-8", errors="replace") as file:
        if file.readline().rstrip("\r\n") != ",".join(HEAD):
            return set()
        return {CONTENTS, *(row[0] for row in csv.reader(file) if row and WRITTEN.match(row[0]))}
