-- Whether this role may see what other roles' sessions do. Reads the catalogue.
select pg_has_role('pg_read_all_stats', 'usage'), current_user::text, format('grant pg_monitor to %I;', current_user)
