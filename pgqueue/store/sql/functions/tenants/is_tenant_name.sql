-- Whether a text can name a tenant. One expression.
create or replace function pgqueue.is_tenant_name(_name text) returns boolean
language sql immutable parallel safe
return coalesce(_name ~ '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$', false);
