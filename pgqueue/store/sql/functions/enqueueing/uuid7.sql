-- A new job id: a UUID of version 7 (RFC 9562), ordered by time.
-- PostgreSQL 18 has uuidv7(); this body serves 14 to 17 as well. Bound to pg_catalog when it is created.
create or replace function pgqueue.uuid7() returns uuid
language sql volatile parallel safe
return
  encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid;
