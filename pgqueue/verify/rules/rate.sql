-- Rates exceeded: more starts in a window than may be.
select begun.job_id, format('claim %s at %s: %s starts of %s in the %s s before it, which may be %s', begun.claim,
                            begun.at, before.count, begun.name, begun.period, begun.starts) as detail
from verify.metered as begun
cross join lateral (
  select count(*) as count from verify.metered as earlier
  where earlier.name = begun.name and earlier.at <= begun.at
    -- A start is counted, then written down; on a busy machine not at once.
    and earlier.at > begun.at - (begun.period - 0.5) * interval '1 s') as before
where before.count > begun.starts
