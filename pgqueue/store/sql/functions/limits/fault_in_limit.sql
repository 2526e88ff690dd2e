-- What is wrong with a limit whose fields are well one by one, then what to do; null if nothing is.
create or replace function pgqueue.fault_in_limit(_rule pgqueue.limits) returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when _rule.burst is not null and _rule.starts is null then array[
      'burst ' || _rule.burst || ' has no rate to be of', 'give a rate, too, such as 100/m']
    when _rule.burst > _rule.starts then array[
      'burst must be at most the ' || _rule.starts || ' starts of the rate, got ' || _rule.burst,
      'a rate is a strict window: no more than that start in it, at once or not; 0 lifts the burst']
    when _rule.ordered and _rule.concurrency is distinct from 1 then array[
      'ordered needs concurrency 1, got ' || coalesce(_rule.concurrency::text, 'none'),
      'jobs of one key run one after the other, or they have no order']
    when _rule.on_dead = 'stop' and not _rule.ordered then array[
      'on_dead stop is of ordered keys', 'say ordered, too']
  end
$$;
