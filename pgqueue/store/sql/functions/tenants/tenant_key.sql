-- A unique key, or a scope of effects, as it is stored for the tenant of this session: each tenant has keys of its own.
-- Without a tenant as it is said. One expression, which the planner writes into the one that asks: it costs next to nothing.
create or replace function pgqueue.tenant_key(_key text) returns text
language sql stable
return case when coalesce(current_setting('pgqueue.tenant', true), '') = '' then _key
            else current_setting('pgqueue.tenant', true) || '::' || _key end;
