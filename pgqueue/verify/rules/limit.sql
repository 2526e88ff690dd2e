-- Limits exceeded: a job was claimed when as many ran as may.
select share.job_id, format('claim %s at %s: with it %s ran under %s %s, which lets %s run', share.claim, share.at,
                            share.running, share.scope, share.name, share.most) as detail
from verify.shares as share
where share.running > share.most
