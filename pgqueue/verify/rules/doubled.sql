-- Effects doubled.
select effect.job_id, format('%s effects, of claims %s', count(*), string_agg(effect.claim::text, ', ')) as detail
from verify.effects as effect
group by effect.job_id
having count(*) > 1
union all
select asked.parent, format('fanned out into %s children, which is too many', count(*))
from verify.asked as asked
where asked.created and asked.parent is not null
group by asked.parent
-- A workflow of four, or two jobs.
having count(*) > case when exists (select from verify.joins as joined where joined.parent = asked.parent) then 4 else 2 end
