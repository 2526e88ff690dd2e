"""`python -m bench peers install`: for each other queue an environment of its own below .bench/."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from bench.manifest import ENVIRONMENTS, Peer, peers

LIMIT = 900.0


def main(names: Sequence[str], *, install: str | None) -> int:
    """Say what there is, after installing it if that is asked for; 1 if something could not be."""
    chosen = [peer for peer in peers() if not names or peer.name in names]
    if install:
        ENVIRONMENTS.mkdir(exist_ok=True)
        for peer in chosen:
            if not peer.installed:
                _install(peer)
    for peer in chosen:
        print(f"{peer.title}: {state(peer)}")
    return 0 if all(peer.installed for peer in chosen) or not install else 1


def state(peer: Peer) -> str:
    """Whether it can be measured, and if not, why."""
    if peer.kind == "ours":
        return "it is here"
    if peer.installed:
        return "installed"
    if peer.failed.exists():
        return f"could not be installed: {peer.failed.read_text().strip()}"
    return "not installed; run `python -m bench peers install`"


def _install(peer: Peer) -> None:
    print(f"{peer.title}: installing {', '.join(peer.packages)}", flush=True)
    shutil.rmtree(peer.folder, ignore_errors=True)
    peer.folder.mkdir(parents=True)
    peer.failed.unlink(missing_ok=True)
    try:
        for command in peer.install_commands():
            subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.CalledProcessError as error:
        peer.failed.write_text((error.stderr or error.stdout).strip().splitlines()[-1] + "\n")
    except (OSError, subprocess.TimeoutExpired) as error:
        peer.failed.write_text(f"{error}\n")
    else:
        peer.ready.write_text("\n".join(peer.packages))
