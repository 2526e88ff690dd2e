create trigger jobs_new after insert on pgqueue.jobs
for each row when (new.worker is not null or new.started_at is not null or new.claim <> 0)
execute function pgqueue.refuse_used();
