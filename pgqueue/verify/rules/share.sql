-- Shares lost: one whose job does not run under it, or a job that ran without it.
select astray.job_id, astray.detail from verify.astray as astray
union all
select stray.job_id, format('%s, seen at %s', stray.detail, stray.at) from verify.strays as stray
