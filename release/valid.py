"""Hold a bill of materials against the schema of CycloneDX: `python -m release.valid FILE`.

Runs where cyclonedx-python-lib is, which brings the schema along; nothing is fetched.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def check(file: Path) -> int:
    """Print whether a file is a bill; answers the exit code."""
    text = file.read_text()
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    if wrong is not None:
        print(f"{file} is no CycloneDX 1.5: {wrong!s:.500}", file=sys.stderr)
        return 1
    print(f"{file}: CycloneDX 1.5, {len(json.loads(text)['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(check(Path(sys.argv[1])))
