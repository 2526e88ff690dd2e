"""The state of a worker for people who wonder what it is doing: what TTIN writes to the log."""

from __future__ import annotations

from pgqueue.events import WorkerDumped
from pgqueue.worker.supervision.dumper import stacks
from pgqueue.worker.supervision.health import Health
from pgqueue.worker.supervision.roles import Roles


def dumped(worker: int, health: Health, roles: Roles) -> WorkerDumped:
    """What runs since when, what waits, the outbox, lease, bounds, connections, and each thread's stack."""
    running = roles.executor.running()
    loops = (roles.claimer.loop, roles.heartbeat.loop, roles.listener.loop)
    summary: dict[str, object] = {
        "phase": str(health.phase),
        "running": len(running),
        "waiting": max(0, health.jobs - len(running)),
        "outbox": health.outbox,
        "lease_left": round(health.lease_left, 1),
        "connected": ",".join(loop.role for loop in loops if loop.connected),
        "bounds": " ".join(f"{slot}:{bound}" for slot, bound in roles.claimer.bounds.items()),
    }
    jobs = [
        {"job": str(claim.id), "target": claim.target, "attempt": claim.attempt, "seconds": round(seconds, 1)}
        for claim, seconds in running
    ]
    # Of several databases each is dumped, and the threads are the same for all.
    return WorkerDumped(worker, summary, jobs, stacks() if roles.executor.allotment is None else {})
