-- What a new job does not say of where it waits: the queue by its target's route, the priority by its queue's setting.
-- Called for rows that leave one of them unsaid, and only while there is such a rule: see arrange_filling.sql.
-- With the rights of its owner: who may only enqueue may not read `queues` and `routes`. O(routes).
create or replace function pgqueue.fill_in() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  new.queue := coalesce(new.queue, pgqueue.route(new.target));
  new.priority := coalesce(
    new.priority, (select q.priority from pgqueue.queues as q where q.name = new.queue), 5::smallint);
  return new;
end $$;
