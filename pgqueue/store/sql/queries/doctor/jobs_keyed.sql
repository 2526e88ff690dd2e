create trigger jobs_keyed after insert on pgqueue.jobs
for each row when (new.limit_key is not null and new.lane is null)
execute function pgqueue.line_new();
