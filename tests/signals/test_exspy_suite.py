"""exspy's own EDS-TEM tests, eager and lazy, on our classes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = ["exspy.tests.signals.test_eds_tem", "exspy.tests.models.test_edsmodel"]


def run(arguments, folder, swapped):
    plugins = ["-p", "swap_eds_tem"] if swapped else []
    options = ["-q", "-rfE", "--no-header", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTEST_ADDOPTS": ""},
        cwd=folder,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("suite", SUITES)
def test_exspy_suite_passes_on_our_class(suite, tmp_path):
    pytest.importorskip(suite)
    output = run(["--pyargs", suite], tmp_path, swapped=True)
    passed = re.search(r"(\d+) passed", output)
    assert passed, output
    assert int(passed.group(1)) > 30, output
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, flags=re.MULTILINE)
    if failed:
        # What exspy's own class fails with these versions of matplotlib and numpy is not ours.
        names = {node.split("::")[-1] for node in failed}
        own = run(["--pyargs", suite, "-k", " or ".join(names)], tmp_path, swapped=False)
        fails_too = {
            node.split("::")[-1]
            for node in re.findall(r"^(?:FAILED|ERROR) (\S+)", own, flags=re.MULTILINE)
        }
        assert names <= fails_too, output
