-- What server this is, and whether it takes writes. `read_only` is what sessions begin with. Reads settings alone.
select current_setting('server_version'), current_setting('server_version_num')::int, pg_is_in_recovery(),
       (select s.reset_val = 'on' from pg_settings as s where s.name = 'default_transaction_read_only'),
       format('alter database %I set default_transaction_read_only = off;', current_database())
