-- What the verifier knows apart from pgqueue, in a schema of its own. Every time is the database's clock.
create schema verify;

-- Written in the transaction that enqueues, after the call: `at` is when the job (and its key) was certainly there.
-- `not_before` was computed before the call, so no start may lie below it.
create table verify.asked (
  job_id     uuid        not null,
  created    boolean     not null,
  kind       text        not null,
  fails      int         not null,
  unique_key text,
  unique_for float8,
  has_ttl    boolean     not null,
  parent     uuid,
  not_before timestamptz not null,
  at         timestamptz not null default clock_timestamp()
);
create index on verify.asked (job_id);
create index on verify.asked (parent);

-- What a tick asks for, in its transaction.
create function verify.note_tick() returns trigger
language plpgsql
as $$
begin
  insert into verify.asked (job_id, created, kind, fails, has_ttl, not_before)
  values (new.job_id, true, 'plain', 0, false, new.scheduled_for);
  return new;
end $$;
create trigger note_tick after insert on pgqueue.ticks
  for each row when (new.job_id is not null) execute function verify.note_tick();

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

-- Written by the running job on a connection of its own, each row committed at once: how it began, and in which
-- process ...
create table verify.starts (
  job_id  uuid        not null,
  claim   int         not null,
  worker  bigint      not null,
  attempt int         not null,
  run_at  timestamptz not null,
  at      timestamptz not null default clock_timestamp(),
  pid     int
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
