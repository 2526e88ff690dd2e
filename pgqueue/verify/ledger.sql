-- What the verifier knows apart from pgqueue, in a schema of its own. Every time is the database's clock.
create schema verify;

-- Written in the transaction that enqueues, after the call: `at` is when the job (and its key) was certainly there.
-- `not_before` was computed before the call, so no start may lie below it. `again`: the call was repeated, and found its
-- own job.
create table verify.asked (
  job_id     uuid        not null,
  created    boolean     not null,
  kind       text        not null,
  fails      int         not null,
  unique_key text,
  unique_for float8,
  until_start boolean    not null default false,
  again      boolean     not null default false,
  has_ttl    boolean     not null,
  parent     uuid,
  not_before timestamptz not null,
  at         timestamptz not null default clock_timestamp()
);
create index on verify.asked (job_id);
create index on verify.asked (parent);

-- What a tick asks for, in its transaction: at its end, when it is known whether the tick has a job of its own.
create function verify.note_tick() returns trigger
language plpgsql
as $$
begin
  insert into verify.asked (job_id, created, kind, fails, unique_key, until_start, has_ttl, not_before)
  select tick.job_id, tick.why not in ('kept', 'replaced'), 'plain', 0, schedule.unique_key,
         coalesce(schedule.unique_until = 'start', false), false, tick.scheduled_for
  from pgqueue.ticks as tick
  left join pgqueue.schedules as schedule on schedule.name = tick.schedule
  where tick.schedule = new.schedule and tick.scheduled_for = new.scheduled_for;
  return new;
end $$;
create constraint trigger note_tick after insert on pgqueue.ticks deferrable initially deferred
  for each row when (new.job_id is not null) execute function verify.note_tick();

-- When jobs that are unique until their start were claimed, each in the transaction of the claim.
create table verify.claims (job_id uuid not null, at timestamptz not null default clock_timestamp());
create index on verify.claims (job_id);

create function verify.note_claim() returns trigger
language plpgsql
as $$
begin
  insert into verify.claims (job_id) values (new.id);
  return new;
end $$;
create trigger note_claim after update on pgqueue.jobs
  for each row when (old.worker is null and new.worker is not null and new.start_key is not null)
  execute function verify.note_claim();

-- What a producer or human knows of its own transactions, written when all is over.
create table verify.told (job_id uuid not null, committed boolean not null);
create index on verify.told (job_id);

-- Written inside the transaction that also says that the job has succeeded.
create table verify.effects (
  job_id uuid        not null,
  claim  int         not null,
  at     timestamptz not null default clock_timestamp()
);
create index on verify.effects (job_id);

-- Written by the running job on a connection of its own, each row committed at once: how it began, in which process,
-- and how many requests that were answered with it were committed by then ...
create table verify.starts (
  job_id  uuid        not null,
  claim   int         not null,
  worker  bigint      not null,
  attempt int         not null,
  run_at  timestamptz not null,
  at      timestamptz not null default clock_timestamp(),
  pid     int,
  asked   int
);
create index on verify.starts (job_id, claim);

-- ... and what it was about to do: wrote (its effect, not committed), returned, raised (and is due after `wait` s).
create table verify.ends (
  job_id uuid        not null,
  claim  int         not null,
  what   text        not null,
  wait   float8,
  at     timestamptz not null default clock_timestamp()
);
create index on verify.ends (job_id, claim);

-- What a human did, in the same transaction. `claim` and `died_at` are those of the dead job that was revived.
create table verify.hands (
  job_id  uuid        not null,
  what    text        not null,
  answer  text,
  claim   int,
  died_at timestamptz,
  at      timestamptz not null default clock_timestamp()
);
create index on verify.hands (job_id);

-- Every lease as it was given, extended and ended.
create table verify.leases (
  worker     bigint      not null,
  change     text        not null,
  before     timestamptz,
  expires_at timestamptz,
  at         timestamptz not null default clock_timestamp()
);
create index on verify.leases (worker, at);

create function verify.note_lease() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'DELETE' then
    insert into verify.leases (worker, change, before) values (old.id, tg_op, old.expires_at);
    return old;
  elsif tg_op = 'INSERT' then
    insert into verify.leases (worker, change, expires_at) values (new.id, tg_op, new.expires_at);
  elsif new.expires_at <> old.expires_at then
    insert into verify.leases (worker, change, before, expires_at)
    values (new.id, tg_op, old.expires_at, new.expires_at);
  end if;
  return new;
end $$;
create trigger note_lease after insert or update or delete on pgqueue.workers
  for each row execute function verify.note_lease();

-- Settlements that did not find their job: refused as late, or acknowledged because they had been written before; and
-- whether another worker ran the job then.
create table verify.judged (job_id uuid not null, late boolean not null, outcome text not null, ran boolean not null);

-- How long a lease is.
create table verify.run (lease interval not null);

-- The ends that pgqueue knows, each with the number of the claim that it took.
create view verify.ended as
  select attempt.job_id, attempt.outcome as state, null::text as reason, attempt.claim, attempt.finished_at as at
  from pgqueue.attempts as attempt
  where attempt.outcome in ('succeeded', 'cancelled')
  union all
  select dead.id, 'dead', dead.reason, dead.claim, dead.died_at
  from pgqueue.dead_jobs as dead;
