"""`python -m bench`: measure all, write JSON lines, and fill in docs/performance.md with its figures."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from bench import earlier, install, pages, peer_measures, records, sweep
from pgqueue.bench.run import Settings, run_bench
from pgqueue.bench.sizes import FULL, QUICK
from pgqueue.bench.tables import figure_rows, json_lines, markdown, target_rows
from pgqueue.bench.targets import CEILINGS
from pgqueue.errors import PgqueueError

RESULTS = Path("bench/results")
# The measures of jobs with limits, and of what they cost those without.
LIMITS = ["before/*", "lanes/*", "full-key", "rate", "fair", "schedules*"]


def main() -> int:
    """Run what the command line asks for; answers the exit code."""
    options = _options()
    match options.command:
        case "peers":
            if options.act == "sweep":
                return sweep.main(options.names)
            return install.main(options.names, install=options.act)
        case "draw":
            pages.fill_in(records.read(options.file))
            return 0
    sizes = QUICK if options.quick else FULL
    try:
        settings = Settings(
            dsn=None,
            sizes=sizes,
            rounds=1 if options.quick else options.rounds,
            only=[*options.only, *(LIMITS if options.limits else [])],
            earlier=None if options.before is None else earlier.checkout(options.before),
        )
        with peer_measures.beside_us(options.peers and not options.limits) as others:
            found = run_bench(settings, others)
    except KeyboardInterrupt:
        print("interrupted; no server is left behind", file=sys.stderr)
        return 130
    except PgqueueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    found.command = " ".join(["python -m bench", *sys.argv[1:]]) if sys.argv[1:] else "make bench"
    print(f"\n{found.machine.sentence()}; {len(found.rounds)} rounds in {found.seconds / 60:.1f} minutes\n")
    judged = [verdict for verdict in found.verdicts if verdict.reached is not None or not settings.only]
    print(markdown(figure_rows(found.rounds, CEILINGS)), markdown(target_rows(judged)), sep="\n\n")
    for name, why in found.missing.items():
        print(f"not measured: {name}: {why}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = options.out or RESULTS / f"{datetime.now():%Y-%m-%dT%H-%M-%S}.jsonl"
    file.write_text("".join(f"{line}\n" for line in json_lines(found)))
    print(f"\nwritten: {file}")
    # A part of the figures, or tiny ones, are not to stand where the published ones do.
    if not options.quick and not options.only and not options.no_docs:
        (pages.fill_in_limits if options.limits else pages.fill_in)(found)
        print("filled in: docs/performance.md, docs/figures")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.set_defaults(command="run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="measures that begin so, or fit")
    parser.add_argument(
        "--before", metavar="COMMIT", help="measure the drain of an earlier commit, or checkout, beside this one's"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: to see that it works")
    parser.add_argument("--limits", action="store_true", help="the part about limits alone")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="ours and the raw ceilings alone")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/ as it is")
    parser.add_argument("--out", type=Path, help="the file of JSON lines; else a new one in bench/results")
    commands = parser.add_subparsers(metavar="{peers,draw}")
    peers = commands.add_parser("peers", help="say which other queues there are, install them, or try their settings")
    peers.set_defaults(command="peers")
    peers.add_argument("act", nargs="?", choices=["install", "sweep"])
    peers.add_argument("names", nargs="*", help="these alone")
    draw = commands.add_parser("draw", help="fill in the pages from a file of an earlier run")
    draw.set_defaults(command="draw")
    draw.add_argument("file", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
