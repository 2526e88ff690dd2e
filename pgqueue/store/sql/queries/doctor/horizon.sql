-- Who keeps rows of ended jobs from being cleaned away: transactions older than $1, prepared ones, slots and standbys
-- that are more than $2 transactions behind; the worst first. Whether all of them could be seen is in the last column.
-- Reads pg_stat_activity, pg_prepared_xacts, pg_replication_slots, pg_stat_replication.
with holders as (
  select format('pid %s (%s) has a transaction open', who.pid,
                concat_ws(', ', who.usename, nullif(who.application_name, ''), who.state)) as what,
         clock_timestamp() - who.xact_start as age, null::int as behind,
         format('select pg_terminate_backend(%s);', who.pid) as cure
  from pg_stat_activity as who
  where who.datname = current_database() and who.pid <> pg_backend_pid()
    and (who.backend_xmin is not null or who.backend_xid is not null)
    and coalesce(who.backend_type, 'client backend') <> 'walsender'
    and who.xact_start < clock_timestamp() - $1::interval
  union all
  select format('prepared transaction %s of %s was not committed', gone.gid, gone.owner), clock_timestamp() - gone.prepared,
         null, format('rollback prepared %L;  -- or: commit prepared %L;', gone.gid, gone.gid)
  from pg_prepared_xacts as gone
  where gone.database = current_database() and gone.prepared < clock_timestamp() - $1::interval
  union all
  select format('replication slot %s (%s) holds it', slot.slot_name, case when slot.active then 'active' else 'nobody reads it' end),
         null, age(slot.xmin), format('select pg_drop_replication_slot(%L);', slot.slot_name)
  from pg_replication_slots as slot
  where slot.xmin is not null and (age(slot.xmin) > $2::int or not slot.active)
  union all
  select format('a query on standby %s holds it by hot_standby_feedback', nullif(standby.application_name, '')), null,
         age(standby.backend_xmin),
         'on the standby: alter system set hot_standby_feedback = off; select pg_reload_conf();'
  from pg_stat_replication as standby
  where standby.backend_xmin is not null and age(standby.backend_xmin) > $2::int
)
select holders.what, extract(epoch from holders.age)::float8, holders.behind, holders.cure
from holders
order by holders.age desc nulls last, holders.behind desc
limit 20
