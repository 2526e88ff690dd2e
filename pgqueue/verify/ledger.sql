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

-- What a job brings, and as what, in the transaction that brings it.
create table verify.brought (job_id uuid not null, parent uuid not null, how text not null);
create index on verify.brought (parent);

create function verify.note_brought() returns trigger
language plpgsql
as $$
begin
  insert into verify.brought (job_id, parent, how) values (new.job_id, new.parent_id, new.how);
  insert into verify.asked (job_id, created, kind, fails, has_ttl, parent, not_before)
  values (new.job_id, true, case when new.how like 'on_%' then 'after' else 'child' end, 0, false,
          -- What a durable function brings stands whatever becomes of that.
          case when new.how not like 'on_%' and new.how <> 'detached' then new.parent_id end, now());
  return null;
end $$;
create constraint trigger note_brought after insert on pgqueue.lineage deferrable initially deferred
  for each row execute function verify.note_brought();

-- What is to be done once: that it was done, and what those were told who asked: first, done or unknown.
create table verify.sent (key text not null, job_id uuid not null, claim int not null);
create index on verify.sent (key);
create table verify.told_of (key text not null, job_id uuid not null, was text not null);

-- What steps of durable functions did, each in the transaction of its memo.
create table verify.units (job_id uuid not null, unit int not null, claim int not null);
create index on verify.units (job_id);

-- Which jobs a callback waits for, written with both.
create table verify.joins (parent uuid not null, callback uuid not null, member uuid not null);
create index on verify.joins (callback);

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

-- Limits as they were set, and what jobs did that may be under them, in one order: a claim is noted as it is made,
-- under the locks of its limits; an end, and that a job is there, right before COMMIT. So a claim that counted what an
-- earlier transaction had given back always comes after it.
create sequence verify.order_of_moves;

create table verify.rules (
  seq         bigint      not null default nextval('verify.order_of_moves'),
  at          timestamptz not null default clock_timestamp(),
  scope       text        not null,
  name        text        not null,
  concurrency int,
  starts      int,
  period      float8,
  ordered     boolean     not null
);

create function verify.note_rule() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'DELETE' then
    insert into verify.rules (scope, name, ordered) values (old.scope, old.name, false);
  else
    insert into verify.rules (scope, name, concurrency, starts, period, ordered)
    values (new.scope, new.name, new.concurrency, new.starts, new.period, new.ordered);
  end if;
  return null;
end $$;
create trigger note_rule after insert or update or delete on pgqueue.limits
  for each row execute function verify.note_rule();

-- there, claimed, freed (it runs no more and waits again), gone (it has ended).
create table verify.moves (
  seq       bigint      not null default nextval('verify.order_of_moves'),
  at        timestamptz not null,
  what      text        not null,
  job_id    uuid        not null,
  claim     int         not null,
  ran       boolean     not null,
  queue     text        not null,
  target    text        not null,
  limit_key text,
  priority  int         not null,
  run_at    timestamptz not null
);
create index on verify.moves (job_id);

create function verify.note_move() returns trigger
language plpgsql
as $$
declare
  _job constant pgqueue.jobs := case tg_op when 'INSERT' then new else old end;
begin
  insert into verify.moves (at, what, job_id, claim, ran, queue, target, limit_key, priority, run_at)
  values (case when tg_argv[0] = 'claimed' then new.started_at else clock_timestamp() end, tg_argv[0], _job.id,
          case when tg_argv[0] = 'claimed' then new.claim else _job.claim end, _job.worker is not null, _job.queue,
          _job.target, _job.limit_key, _job.priority, _job.run_at);
  return null;
end $$;
create constraint trigger move_there after insert on pgqueue.jobs deferrable initially deferred
  for each row execute function verify.note_move('there');
create trigger move_claimed after update on pgqueue.jobs
  for each row when (old.worker is null and new.worker is not null) execute function verify.note_move('claimed');
create constraint trigger move_freed after update on pgqueue.jobs deferrable initially deferred
  for each row when (old.worker is not null and new.worker is null) execute function verify.note_move('freed');
create constraint trigger move_gone after delete on pgqueue.jobs deferrable initially deferred
  for each row execute function verify.note_move('gone');

-- A share of code outside of jobs counts as one of a job without a name.
create function verify.note_hold() returns trigger
language plpgsql
as $$
declare
  _hold constant pgqueue.holds := case tg_op when 'INSERT' then new else old end;
begin
  insert into verify.moves (at, what, job_id, claim, ran, queue, target, limit_key, priority, run_at)
  values (clock_timestamp(), tg_argv[0], '00000000-0000-0000-0000-000000000000', 0, true, '', '',
          substr(_hold.name, 3), 0, now());
  return null;
end $$;
create trigger hold_taken after insert on pgqueue.holds
  for each row when (new.job_id is null) execute function verify.note_hold('claimed');
create constraint trigger hold_gone after delete on pgqueue.holds deferrable initially deferred
  for each row when (old.job_id is null) execute function verify.note_hold('gone');

-- The limits that a move is under.
create view verify.limited as
  select move.seq, move.at, move.what, move.job_id, move.claim, move.ran, rule.scope, rule.name as rule,
         case rule.scope when 'key' then move.limit_key else rule.name end as name
  from verify.moves as move
  join (select distinct scope, name from verify.rules) as rule on case rule.scope
    when 'queue' then rule.name = move.queue
    when 'task' then rule.name = move.target
    else move.limit_key = rule.name
      or right(rule.name, 1) = '*' and starts_with(move.limit_key, rtrim(rule.name, '*')) end;

-- Of each limit, move after move: how many ran then, and how many might, by any rule of the last seconds: a claim that
-- began before a change may end after it. What ran before it was lowered may go on.
create view verify.shares as
  with said as materialized (
    select rule.scope, rule.name, rule.seq, coalesce(rule.concurrency, 1000000) as most,
           lead(rule.at, 1, 'infinity') over (partition by rule.scope, rule.name order by rule.seq) as until
    from verify.rules as rule
  )
  select move.*, (
    select max(said.most) from said
    where said.scope = move.scope and said.name = move.rule and said.seq < move.seq
      and said.until > move.at - interval '2 s') as most
  from (
    select limited.*, sum(case when what = 'claimed' then 1 when what in ('freed', 'gone') and ran then -1 else 0 end)
                        over (partition by scope, name order by seq) as running
    from verify.limited as limited) as move
  where move.what = 'claimed';

-- The starts that a rate counts.
create view verify.metered as
  select move.seq, move.at, move.job_id, move.claim, move.name, rule.starts, rule.period
  from verify.limited as move
  join verify.rules as rule on rule.scope = move.scope and rule.name = move.rule and rule.starts is not null
  where move.what = 'claimed';

-- Shares that were out of order while jobs ran, as somebody saw who looked now and then.
create table verify.strays (job_id uuid not null, detail text not null, at timestamptz not null default clock_timestamp());

-- Every share whose job does not run under it, and every running job without a share of a limit that is always there.
-- One look is one snapshot: a claim and its shares are both there, or neither.
create view verify.astray as
  select hold.job_id, format('share %s of %s: its job does not run under it', hold.seq, hold.name) as detail
  from pgqueue.holds as hold
  where hold.job_id is not null and not exists (
    select from pgqueue.jobs as job
    where job.id = hold.job_id and job.hold = hold.seq
      and (job.worker is not null or exists (
        select from pgqueue.limits as rule
        where rule.scope = 'key' and rule.ordered and starts_with(hold.name, 'k:' || rtrim(rule.name, '*')))))
  union all
  select job.id, format('it runs without a share of %s', due.name)
  from pgqueue.jobs as job
  join pgqueue.limits as rule on rule.concurrency is not null and rule.changed_at < job.started_at - interval '2 s'
    and case rule.scope
      when 'queue' then rule.name = job.queue
      when 'task' then rule.name = job.target
      else starts_with(job.limit_key, rtrim(rule.name, '*')) end
  cross join lateral (
    select case rule.scope when 'key' then 'k:' || job.limit_key when 'task' then 't:' || job.target
                           else 'q:' || job.queue end as name) as due
  where job.worker is not null and not exists (
    select from pgqueue.holds as hold where hold.name = due.name and hold.seq = job.hold and hold.job_id = job.id);
