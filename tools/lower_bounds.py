"""Print pip constraints that hold every dependency at the lower bound that pyproject.toml gives.

`make test-oldest` installs with them, so that pyproject.toml is the only place of the bounds.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
#: Name, extras (constraints have none), lower bound.
REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\d.]+)")

project = tomllib.loads(PYPROJECT.read_text("utf8"))["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["distributed"]:
    # without the marker: a bound holds for all Pythons
    found = REQUIREMENT.fullmatch(requirement.partition(";")[0])
    if found is None:
        sys.exit(f"pyproject.toml: {requirement!r} is not of the form 'name>=version'")
    sys.stdout.write(f"{found[1]}=={found[2]}\n")
