"""Ask for known vulnerabilities of what users install: pip-audit on an environment that has it.

    python -m release.audit PIP_AUDIT SITE_PACKAGES

Exits with 0 if none is known, with 1 if some are, and with 3 if nobody could be asked: then nothing is known, neither
good nor bad.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

FINE, VULNERABLE, UNREACHABLE = 0, 1, 3
# The seconds that one question to the service may take.
TIMEOUT = 20


def audit(pip_audit: str, site_packages: str) -> int:
    """Print what is known; answers the exit code."""
    command = [pip_audit, "--path", site_packages, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([*command, "--timeout", str(TIMEOUT)], capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"NOT AUDITED: pip-audit could not ask the advisory service ({last[:300]})", file=sys.stderr)
        print(
            "Nothing is known of vulnerabilities, neither good nor bad; ask again where it can be reached.",
            file=sys.stderr,
        )
        return UNREACHABLE
    return judge(found)


def judge(found: list[dict[str, Any]]) -> int:
    """Print the packages that have known vulnerabilities; answers the exit code."""
    # pgqueue itself is no package of the index while it is worked on: it is skipped, and so is named.
    skipped = [each["name"] for each in found if "skip_reason" in each]
    known = [(each, hole) for each in found for hole in each.get("vulns", [])]
    for each, hole in known:
        fixed = ", ".join(hole.get("fix_versions", [])) or "no version yet"
        print(f"{each['name']} {each['version']}: {hole['id']}, fixed in {fixed}")
    print(f"{len(found) - len(skipped)} packages asked for, {len(known)} known vulnerabilities; not asked: {skipped}")
    return VULNERABLE if known else FINE


if __name__ == "__main__":
    sys.exit(audit(*sys.argv[1:]))
