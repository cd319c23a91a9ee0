"""What has changed since the last release, of the fragments in ``news/``."""

import subprocess
import sys


def write_unreleased(root, folder):
    """Write ``unreleased.md`` to a folder: the section that a release made now would have."""
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"],
        cwd=root,
        check=True,
        capture_output=True,
        encoding="utf8",
    ).stdout
    # its first line has today's date
    section = draft[draft.index("## ") :].split("\n", 1)[1]
    (folder / "unreleased.md").write_text(f"## Not released yet\n{section}", "utf8")
