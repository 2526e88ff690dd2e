"""What `pgqueue migrate --check` prints."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from pgqueue.cli.output import print_table
from pgqueue.migration_plan import LONGEST, Plan, Step


def print_plan(plan: Plan) -> None:
    """What a migration would lock and for how long, for people."""
    if plan.revision is None:
        typer.echo(f"There is no schema pgqueue; `pgqueue migrate` creates it at revision {plan.newest}. Nobody waits.")
    elif plan.locks:
        _print_locks(plan)
    else:
        typer.echo(f"The schema is at revision {plan.revision}, the newest; nothing would change.")
    if plan.contract:
        typer.echo("\nNo code from the release before this one on needs, and `pgqueue migrate --contract` drops:")
        for statement in plan.contract:
            typer.echo(f"  {statement}")


def _print_locks(plan: Plan) -> None:
    if plan.state == "behind":
        typer.echo(f"The schema goes from revision {plan.revision} to {plan.newest}, and gets its functions and views.")
    else:
        typer.echo(f"The schema stays at revision {plan.revision}, and gets other functions and views.")
    for beside, heading in (
        (True, "Before the migration, beside the work, each by itself:"),
        (False, "In the migration, in one transaction:"),
    ):
        if steps := [step for step in plan.steps if step.beside is beside]:
            typer.echo(f"\n{heading}")
            _print_steps(steps)
    typer.echo(f"\n{_waiting(plan)}")
    for blocker in plan.blockers:
        typer.echo(f"In its way now: {blocker}")


def _print_steps(steps: Sequence[Step]) -> None:
    titles = ["REVISION", "TABLE", "LOCK", "WORK", "ROWS", "SECONDS", "STATEMENT"]
    print_table(
        titles,
        [
            [step.revision, step.table, step.lock, step.work, step.rows, step.seconds, _short(step.statement)]
            for step in steps
        ],
    )


def _short(statement: str, most: int = 90) -> str:
    return statement if len(statement) <= most else f"{statement[: most - 1]}…"


def _waiting(plan: Plan) -> str:
    everything = "jobs" in plan.locks
    who = "Claims, enqueues and reads wait" if everything else "Reads of the views wait"
    what = "all tables and views are" if everything else "the views are"
    said = (
        f"{who} about {plan.pause:g} s, while {what} locked against everybody; and before that up to {plan.wait:g} s a"
        " try, while it waits for its locks"
    )
    return f"{said}. That is longer than {LONGEST:g} s." if plan.too_long else f"{said}."
