create table pictures (
  id        bigint generated always as identity primary key,
  path      text not null,
  -- What came of it; `made_by` says how: averaged, picked, or a human.
  thumbnail text,
  made_by   text
);
