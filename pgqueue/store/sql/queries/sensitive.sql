-- What these targets have said of sensitive arguments, or all of them if $1 is null. Walks sensitive_pkey.
select said.target, said.said::pg_catalog.text
from pgqueue.sensitive as said
where $1::pg_catalog.text[] is null or said.target operator(pg_catalog.=) any ($1::pg_catalog.text[])
order by said.target, said.declared_at
