create table documents (
  id   bigint generated always as identity primary key,
  path text not null
);

-- No unique key, on purpose: were the effect of a job applied twice, every word of its document would stand here twice.
create table word_counts (
  document_id bigint not null,
  word        text   not null,
  occurrences int    not null
);
