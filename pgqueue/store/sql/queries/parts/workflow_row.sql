select found.id, found.name, found.state, found.created_at, found.deadline, found.unique_key, found.asked, found.asked_at,
       found.labels::pg_catalog.text, counts.nodes, counts.total, counts.succeeded, counts.running, counts.pending,
       counts.waiting, counts.dead, counts.cancelled, counts.exact
