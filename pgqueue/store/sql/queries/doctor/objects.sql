-- Which of the functions $1, views $2, tables $3 and triggers $4 are missing; disabled triggers are missing, too.
-- And the comment that says whose functions they are. Reads the catalogue.
select 'function' as kind, wanted.name
from unnest($1::text[]) as wanted (name)
where not exists (
  select from pg_proc as p where p.pronamespace = to_regnamespace('pgqueue') and p.proname = wanted.name)
union all
select 'view', wanted.name from unnest($2::text[]) as wanted (name)
where to_regclass(format('pgqueue.%I', wanted.name)) is null
union all
select 'table', wanted.name from unnest($3::text[]) as wanted (name)
where to_regclass(format('pgqueue.%I', wanted.name)) is null
union all
select case when t.tgname is null then 'trigger' else 'disabled trigger' end, wanted.name
from unnest($4::text[]) as wanted (name)
left join pg_trigger as t on t.tgrelid = to_regclass('pgqueue.jobs') and t.tgname = wanted.name
where t.tgname is null or t.tgenabled not in ('O', 'A')
