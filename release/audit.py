"""Ask for known vulnerabilities of what users install: pip-audit on an environment that has it.

    python -m release.audit PIP_AUDIT SITE_PACKAGES

Exits with 0 if none is known, with 1 if some are, and with 3 if nobody could be asked, or had an answer: then nothing
is known, neither good nor bad.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from release.requirements import PROJECT

FINE, VULNERABLE, UNREACHABLE = 0, 1, 3
# Asked one after the other, until one knows the packages: the index itself, and the database of open source's holes.
SERVICES = ("pypi", "osv")
# The seconds that one question to a service may take.
TIMEOUT = 20
Found = list[dict[str, Any]]


def audit(pip_audit: str, site_packages: str) -> int:
    """Print what is known; answers the exit code."""
    for service in SERVICES:
        found, said = ask(pip_audit, site_packages, service)
        if asked(found):
            return judge(found)
        print(f"{service} was not to be asked: {said}", file=sys.stderr)
    print(
        "NOT AUDITED: nothing is known of vulnerabilities, neither good nor bad; ask again where a service is reached",
        file=sys.stderr,
    )
    return UNREACHABLE


def ask(pip_audit: str, site_packages: str, service: str) -> tuple[Found, str]:
    """What a service knows of each package; and what was said instead, where it was not reached."""
    command = [pip_audit, "--path", site_packages, "--vulnerability-service", service, "--format", "json"]
    options = ["--progress-spinner", "off", "--timeout", str(TIMEOUT)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["dependencies"], "it knows none of the packages"
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return [], last[:300]


def asked(found: Found) -> Found:
    """The packages that a service knows; the others were skipped."""
    return [each for each in found if "skip_reason" not in each]


def judge(found: Found) -> int:
    """Print the packages that have known vulnerabilities, and those that nobody knows; answers the exit code."""
    known = [(each, hole) for each in found for hole in each.get("vulns", [])]
    for each, hole in known:
        fixed = ", ".join(hole.get("fix_versions", [])) or "no version yet"
        print(f"{each['name']} {each['version']}: {hole['id']}, fixed in {fixed}")
    # What is worked on here is on no index.
    unknown = [each["name"] for each in found if "skip_reason" in each and each["name"] != PROJECT["name"]]
    print(f"{len(asked(found))} packages asked for, {len(known)} known vulnerabilities; unknown packages: {unknown}")
    return VULNERABLE if known else FINE


if __name__ == "__main__":
    sys.exit(audit(*sys.argv[1:]))
