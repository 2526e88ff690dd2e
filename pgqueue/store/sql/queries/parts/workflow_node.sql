select each.node, each.name, each.target, each.needs, each.repairs, each.optional, each.callback, each.job_id, each.state,
       each.total, each.succeeded, each.running, each.ready, each.retrying, each.scheduled, each.manual, each.waiting,
       each.dead, each.cancelled, each.exact, said.attempt, said.started_at, said.finished_at, said.error, said.dead_id
