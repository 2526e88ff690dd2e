-- Steps of durable functions: done twice, missing from a success, or done and not remembered.
select unit.job_id, format('unit %s was done %s times', unit.unit, count(*)) as detail
from verify.units as unit
group by unit.job_id, unit.unit
having count(*) > 1
union all
select ended.job_id, 'succeeded, and less than 3 units are there'
from verify.ended as ended
join verify.asked as asked on asked.job_id = ended.job_id and asked.created
where ended.state = 'succeeded' and asked.kind = 'lasts'
  and (select count(distinct unit.unit) from verify.units as unit where unit.job_id = ended.job_id) < 3
union all
select unit.job_id, format('unit %s was done and is not remembered', unit.unit)
from verify.units as unit
where not exists (
  select from pgqueue.steps as step where step.job_id = unit.job_id and step.name = 'unit ' || unit.unit)
