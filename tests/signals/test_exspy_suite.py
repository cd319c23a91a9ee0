"""exspy's own EDS-TEM tests, eager and lazy, on our classes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = ["exspy.tests.signals.test_eds_tem", "exspy.tests.models.test_edsmodel"]
#: What is raised where a file cannot be downloaded, or what downloads it is not there.
NO_DOWNLOAD = re.compile(
    r"(?:INTERNALERROR> |E +|- )?(?:[\w.]+\.)?"
    r"(?:URLError|gaierror|ConnectionError|ConnectTimeout|ProxyError|SSLError|HTTPError"
    r"|NameResolutionError|MaxRetryError|(?:ModuleNotFound|Import)Error:.*\bpooch)\b"
)


def run(arguments, folder, swapped):
    plugins = ["-p", "swap_eds_tem"] if swapped else []
    options = ["-q", "-rfE", "--no-header", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    path = filter(None, [os.environ.get("PYTHONPATH")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, *arguments],
        capture_output=True,
        text=True,
        # As wide as that, pytest says at the end why a test failed.
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *path]),
            "PYTEST_ADDOPTS": "",
            "COLUMNS": "1000",
        },
        cwd=folder,
        check=False,
    )
    return done.stdout + done.stderr


def judged(output):
    """Number of tests that passed, names of those that failed, and why others have no data."""
    said = dict(re.findall(r"^(?:FAILED|ERROR) (\S+)(?: (.*))?$", output, flags=re.MULTILINE))
    without = {node: reason for node, reason in said.items() if NO_DOWNLOAD.match(reason)}
    failed = {node.split("::")[-1] for node in said.keys() - without.keys()}
    passed = re.search(r"(\d+) passed", output)
    reasons = list(without.values())
    if not passed and not said:  # it did not even begin
        reasons = [line for line in output.splitlines() if NO_DOWNLOAD.match(line)][-1:]
    return int(passed[1]) if passed else 0, failed, [re.sub(r"^\S*> |^- ", "", r) for r in reasons]


def check(output, failing_too, at_least=31):
    """Fail if what our class does fails; skip if exspy cannot get its data for a part of it.

    Parameters
    ----------
    output : str
        Of the tests on our class.
    failing_too : callable
        Gives the output of some of them, by their names, on exspy's class.
    at_least : int
        As many have to pass where there are data.
    """
    n_passed, failed, no_data = judged(output)
    if failed:
        # What exspy's own class fails with these versions of matplotlib and numpy is not ours.
        _, fails_too, _ = judged(failing_too(sorted(failed)))
        assert failed <= fails_too, output
    if no_data:
        pytest.skip(f"exspy cannot get its data ({n_passed} of its tests pass): {no_data[0]}")
    assert n_passed >= at_least, output


@pytest.mark.parametrize("suite", SUITES)
def test_exspy_suite_passes_on_our_class(suite, tmp_path):
    try:
        pytest.importorskip(suite)
    except OSError as error:  # of the network
        pytest.skip(f"exspy cannot get its data: {error}")
    check(
        run(["--pyargs", suite], tmp_path, swapped=True),
        lambda names: run(["--pyargs", suite, "-k", " or ".join(names)], tmp_path, swapped=False),
    )


DOWNLOADS = """
import urllib.request
import pytest

def download():
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open("http://exspy.invalid/EDS_TEM_FePt_nanoparticles.hspy", timeout=2)
"""
IN_A_TEST = """
class Test:
    def test_passes(self):
        pass

    def test_without_its_data(self):
        download()
"""
IN_A_FIXTURE = """
@pytest.fixture
def signal():
    return download()

def test_passes():
    pass

def test_without_its_data(signal):
    pass
"""
FAILS = """
def test_fails():
    assert not "ConnectionError"
"""


def outcome(folder, test, conftest=""):
    """Of tests in a folder whose failures are ours."""
    (folder / "test_theirs.py").write_text(test)
    (folder / "conftest.py").write_text(conftest)
    output = run(["test_theirs.py"], folder, swapped=False)
    try:
        check(output, lambda names: "1 passed", at_least=1)
    except pytest.skip.Exception as skipped:
        return str(skipped)
    except AssertionError:
        return "failed"
    return "passed"


@pytest.mark.parametrize(
    ("test", "conftest", "n_passed"),
    [
        (DOWNLOADS + IN_A_TEST, "", 1),
        (DOWNLOADS + IN_A_FIXTURE, "", 1),
        (DOWNLOADS + "download()", "", 0),
        (IN_A_TEST, DOWNLOADS + "def pytest_configure(): download()", 0),
    ],
    ids=["in a test", "in a fixture", "on import", "before all"],
)
def test_without_a_network_the_reason_is_told(tmp_path, test, conftest, n_passed):
    said = outcome(tmp_path, test, conftest)
    assert said.startswith(f"exspy cannot get its data ({n_passed} of its tests pass): ")
    assert "URLError" in said


def test_what_fails_for_other_reasons_fails(tmp_path):
    assert outcome(tmp_path, DOWNLOADS + IN_A_TEST + FAILS) == "failed"


def test_what_pytest_says_in_the_end_is_judged():
    passed, failed, no_data = judged(
        "ERROR a.py - ModuleNotFoundError: No module named 'pooch'\n"
        "ERROR b.py - ModuleNotFoundError: No module named 'numpy'\n"
        "FAILED c.py::T::t[d-e] - requests.exceptions.ConnectionError: HTTPSConnectionPool(...)\n"
        "FAILED c.py::T::u - AssertionError: ConnectionError\n"
        "FAILED c.py::T::v\n"
        "5 failed, 33 passed in 1.00s"
    )
    assert passed == 33
    assert failed == {"b.py", "u", "v"}
    assert [said.partition(":")[0] for said in no_data] == [
        "ModuleNotFoundError",
        "requests.exceptions.ConnectionError",
    ]
    assert judged("33 passed in 1.00s") == (33, set(), [])
    assert judged("INTERNALERROR> ValueError: no network") == (0, set(), [])
