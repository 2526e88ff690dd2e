-- How many connections there are to the server, how many there may be, and how many are pgqueue's. Reads counters.
select (select sum(d.numbackends)::int from pg_stat_database as d where d.datid is not null),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (select count(*)::int from pg_stat_activity as who where who.application_name like 'pgqueue %')
