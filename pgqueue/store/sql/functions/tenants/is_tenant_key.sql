-- Whether a stored key is one of this tenant's (tenant_key.sql), or, of none, one that no tenant can have. One expression.
create or replace function pgqueue.is_tenant_key(_key text, _tenant text) returns boolean
language sql immutable parallel safe
return case when _key is null then true
            when coalesce(_tenant, '') = '' then _key !~ '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}::'
            else starts_with(_key, _tenant || '::') end;
