"""Runs a module with packages that are not among the dependencies for development: `python -m tests.adopted NAME ...`.

They stand last, so that whatever is here anyway is what the tests run on. `make adopt-web` fetches them.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

ADOPTED = Path(__file__).parent.parent / ".adopt" / "web"

if __name__ == "__main__":
    sys.path.append(str(ADOPTED))
    sys.argv = sys.argv[1:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        error.add_note("`make adopt-web` fetches what is not installed here")
        raise
