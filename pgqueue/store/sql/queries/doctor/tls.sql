-- Whether this connection is encrypted, and whether it leaves the machine. Reads one row.
select coalesce((select s.ssl from pg_stat_ssl as s where s.pid = pg_backend_pid()), false), inet_server_addr()::text,
       inet_server_addr() is null or host(inet_server_addr()) like '127.%' or host(inet_server_addr()) = '::1',
       current_setting('ssl') = 'on'
