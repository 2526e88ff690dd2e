-- Give up what is copied into partitions, if anything is: for a migration, after which the tables may look otherwise.
do $$
begin
  if to_regclass('pgqueue.partitioning') is not null then
    perform pgqueue.forget_copy('attempts');
    perform pgqueue.forget_copy('dead_jobs');
  end if;
end $$
