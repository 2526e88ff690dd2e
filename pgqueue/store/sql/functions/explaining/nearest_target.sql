-- The target that live workers name which is most like this one; null if none is. By the pairs of letters they share.
-- Compares 500 names at most, of 5,000 that are looked at: first those with the same module or function, then those of
-- about its length. Reads 20 rows of `targets`; O(names).
create or replace function pgqueue.nearest_target(_target text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  _short constant text := left(_target, 200);
  _pairs constant text[] := array(
    select distinct substr(_short, n, 2) from generate_series(1, greatest(1, length(_short) - 1)) as n);
begin
  return (
    select likeness.name
    from (
      select known.name, 2.0 * count(*) filter (where pair.letters = any (_pairs))
                           / (cardinality(_pairs) + count(*)) as share
      from (
        select distinct best.name
        from (
          select looked.name
          from (
            select left(told.name, 200) as name
            from (
              select distinct me.targets from pgqueue.workers as me
              where me.expires_at > clock_timestamp() and me.targets is not null
              limit 20) as live
            join pgqueue.targets as known on known.hash = live.targets
            cross join lateral unnest(known.names) as told (name)
            where told.name like '%:%'
            limit 5000) as looked
          order by (split_part(looked.name, ':', 1) = split_part(_short, ':', 1)
                    or split_part(looked.name, ':', 2) = split_part(_short, ':', 2)) desc,
                   abs(length(looked.name) - length(_short))
          limit 500) as best) as known
      cross join lateral (
        select distinct substr(known.name, n, 2) from generate_series(1, greatest(1, length(known.name) - 1)) as n)
        as pair (letters)
      group by known.name) as likeness
    where likeness.share >= 0.6
    order by likeness.share desc, likeness.name
    limit 1);
end $$;
