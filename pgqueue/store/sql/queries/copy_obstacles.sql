-- What others have made on table $1 that a copy of it would not have, or that would go on reading what it was, in words;
-- 3 at most. Views and policies of pgqueue are made anew. Reads the catalogue.
with whole as (
  select c.oid, c.relrowsecurity, c.reltype from pg_class as c where c.oid = to_regclass(format('pgqueue.%I', $1::text))
)
select found.what
from whole
cross join lateral (
  select format('the trigger %I', t.tgname) as what from pg_trigger as t
  where t.tgrelid = whole.oid and not t.tgisinternal and t.tgname !~ '^copy_(held|insert|update|delete|truncate)$'
  union all
  select format('the rule %I', r.rulename) from pg_rewrite as r where r.ev_class = whole.oid
  union all
  select format('the policy %I', p.polname) from pg_policy as p
  where p.polrelid = whole.oid and p.polname not in ('own_tenant', 'all_tenants')
  union all
  select 'row level security' where whole.relrowsecurity and not pgqueue.has_tenants()
  union all
  select format('the publication %I', p.pubname)
  from pg_publication_rel as r join pg_publication as p on p.oid = r.prpubid where r.prrelid = whole.oid
  union all
  select format('the foreign key %I', k.conname) from pg_constraint as k
  where k.contype = 'f' and whole.oid in (k.conrelid, k.confrelid)
  union all
  select format('the unique index %I', c.relname)
  from pg_index as i join pg_class as c on c.oid = i.indexrelid
  where i.indrelid = whole.oid and i.indisunique and not i.indisprimary
  union all
  select format('the view %s', v.oid::regclass)
  from pg_depend as d
  join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
  join pg_class as v on v.oid = r.ev_class
  where d.refclassid = 'pg_class'::regclass and d.refobjid = whole.oid and v.oid <> whole.oid
    and (v.relnamespace <> 'pgqueue'::regnamespace or v.relkind <> 'v')
  union all
  select format('the function %s', d.objid::regprocedure) from pg_depend as d
  where d.classid = 'pg_proc'::regclass
    and (d.refclassid = 'pg_class'::regclass and d.refobjid = whole.oid
         or d.refclassid = 'pg_type'::regclass and d.refobjid = whole.reltype)
  union all
  select format('the table %s', d.objid::regclass) from pg_depend as d
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_type'::regclass and d.refobjid = whole.reltype
    and d.deptype = 'n'
  union all
  select format('the table %s, which inherits from it', i.inhrelid::regclass)
  from pg_inherits as i join pg_class as c on c.oid = i.inhparent
  where i.inhparent = whole.oid and c.relkind <> 'p'
) as found
group by found.what
order by found.what
limit 3
