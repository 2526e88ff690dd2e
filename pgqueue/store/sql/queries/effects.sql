-- Effects from behind a scope ($5) and key ($6) on, by these, at most $4: of one scope ($1) and of keys from $2 to
-- before $3, or of all (null). What was reserved by an attempt that is none any more is unknown.
-- Walks effects_pkey from there; O($4).
select e.scope, e.key, e.state, e.reserved_at, e.done_at, e.expires_at, e.target, e.job_id, e.attempt, e.value::text
from pgqueue.effect as e
where (e.scope, e.key) > ($5::text, $6::text)
  and ($1::text is null or (e.scope = $1::text and e.key >= $2::text))
  and ($3::text is null or e.key < $3::text)
order by e.scope, e.key
limit $4::int
