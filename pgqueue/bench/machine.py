"""Where it was measured: the machine, the versions, the server's settings, so that figures can be told apart."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pgqueue.bench.site import Site
from pgqueue.version import __version__

TOLD = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "wal_compression", "jit")


@dataclass(frozen=True, slots=True)
class Machine:
    """All of it as text."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    psycopg: str
    postgresql: str
    pgqueue: str
    settings: dict[str, str]

    def sentence(self) -> str:
        """For people."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"pgqueue {self.pgqueue}, PostgreSQL {self.postgresql} ({settings}), Python {self.python}, psycopg"
            f" {self.psycopg}, on {self.cores} cores ({self.processor}), {self.memory_gb:.0f} GB, {self.system}"
        )


def machine(site: Site) -> Machine:
    """What this machine and this server are."""
    with site.connect() as conn:
        row = conn.execute("select current_setting('server_version')").fetchone()
        found = conn.execute(
            "select name, current_setting(name) from pg_settings where name = any (%s)", [list(TOLD)]
        ).fetchall()
    shown = dict(found)
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        psycopg=f"{psycopg.__version__} ({psycopg.pq.__impl__})",
        postgresql=str(row[0]) if row else "",
        pgqueue=__version__,
        settings={name: shown[name] for name in TOLD if name in shown},
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
