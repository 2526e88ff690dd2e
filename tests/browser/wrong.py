"""What is wrong in a shop, as far as people are told."""

from __future__ import annotations

from typing import Any

import psycopg

Conn = psycopg.Connection[Any]


def alarm(conn: Conn) -> None:
    """Have three alerts be open, of which people know. `conn` is in autocommit mode."""
    conn.execute(
        """
        insert into pgqueue.alerts (key, kind, object, state, opened_at, noticed_at, last_at, n, told, told_at,
                                    last_sent_at, facts)
        select pgqueue.alert_key(kind, object), kind, object, 'open', at, at, now(), n, true, at, at, facts::json
        from (values
          ('dead', '9f2c01a4b7de', 38, (select count(*) from pgqueue.dead_jobs where cause = '9f2c01a4b7de'),
           '{"target": "shop.mail:send_receipt", "error_type": "ConnectionRefusedError", "why": "new"}'),
          ('growing', 'search', 12, 421, '{"before": 180}'),
          ('worker_lost', 'web-3.shop.example', 4, 1, '{"jobs": 4}'))
            as wrong (kind, object, minutes, n, facts),
          lateral (select now() - minutes * interval '1 minute') as since (at)
        """
    )
