-- What keeps autovacuum from the tables of pgqueue, or shows that it does not keep up: beyond $1 dead rows, which are a
-- fifth of the live ones, too; or rows older than $2 transactions. Reads settings, the catalogue and counters.
select 'autovacuum is off on the whole server' as what, 'FAIL' as severity,
       'alter system set autovacuum = on; select pg_reload_conf();' as cure
where current_setting('autovacuum') = 'off'
union all
select format('autovacuum is off for pgqueue.%I', c.relname), 'FAIL',
       format('alter table pgqueue.%I reset (autovacuum_enabled);', c.relname)
from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'r'
  and exists (select from unnest(c.reloptions) as option (said) where said ~* '^autovacuum_enabled=(off|false|no|0|f|n)$')
union all
select format('pgqueue.%I has %s dead rows beside %s live ones, vacuumed %s', c.relname, pg_stat_get_dead_tuples(c.oid),
              pg_stat_get_live_tuples(c.oid),
              coalesce(to_char(greatest(pg_stat_get_last_autovacuum_time(c.oid), pg_stat_get_last_vacuum_time(c.oid))
                               at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), 'never')),
       'warn', format('vacuum (analyze) pgqueue.%I;', c.relname)
from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'r'
  and pg_stat_get_dead_tuples(c.oid) > greatest($1::bigint, pg_stat_get_live_tuples(c.oid) / 5)
union all
select format('rows of pgqueue.%I are %s transactions old', c.relname, age(c.relfrozenxid)),
       case when age(c.relfrozenxid) > 1500000000 then 'FAIL' else 'warn' end,
       format('vacuum (freeze) pgqueue.%I;', c.relname)
from pg_class as c
where c.relnamespace = 'pgqueue'::regnamespace and c.relkind = 'r' and age(c.relfrozenxid) > $2::int
