"""What code may use of a schema: functions with their arguments and answers, tables and views with their columns.

`python -m tests.upgrades.listing` builds the release before this one, makes its schema on a server of its own, and
writes its listing to uses.txt, beside which test_rules.py holds the schema of today.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres import FAST, started_server, swept_folder
from tests.upgrades.releases import releases

FILE = Path(__file__).parent / "uses.txt"
# Defaults only by their number: what they are is a matter of the function.
LISTING = """
select format('function %s -> %s, %s defaults', p.oid::regprocedure, pg_get_function_result(p.oid), p.pronargdefaults)
from pg_proc as p where p.pronamespace = 'pgqueue'::regnamespace and p.prorettype <> 'trigger'::regtype
union all
select format('%s %s.%s %s', case c.relkind when 'v' then 'view' else 'table' end, c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod))
from pg_class as c join pg_attribute as a on a.attrelid = c.oid
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and c.relname <> 'alembic_version'
union all
select format('sequence %s', c.relname) from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'S'
union all
select format('type %s', t.typname) from pg_type as t
where t.typnamespace = 'pgqueue'::regnamespace and t.typelem = 0 and t.typrelid = 0
order by 1
"""


def listing(conn: psycopg.Connection[Any]) -> list[str]:
    """What code may use of the schema of this database, a line each."""
    return [row[0] for row in conn.execute(LISTING).fetchall()]  # type: ignore[call-overload]


def write() -> None:
    previous = releases()[0]
    with swept_folder() as servers, tempfile.TemporaryDirectory() as folder:
        server = started_server(servers / "listing", FAST)
        package = previous.built(Path(folder))
        done = package.run(server.dsn(tcp=True), "migrate")
        assert done.returncode == 0, done.stderr
        with psycopg.connect(server.dsn(tcp=True)) as conn:
            lines = listing(conn)
    FILE.write_text("".join(f"{line}\n" for line in [f"pgqueue {previous.version}", *lines]))
    print(f"{FILE}: {len(lines)} lines")


if __name__ == "__main__":
    write()
