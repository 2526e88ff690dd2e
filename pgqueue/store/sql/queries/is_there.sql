-- Whether a function, relation, type, column or constraint is there: its kind ($1), its name ($2), its table ($3) or ''.
select case $1::text
  when 'function' then to_regprocedure($2::text) is not null
  when 'relation' then to_regclass($2::text) is not null
  when 'type' then to_regtype($2::text) is not null
  when 'column' then exists (
    select from pg_attribute as a
    where a.attrelid = to_regclass($3::text) and a.attname = $2::text and not a.attisdropped)
  else exists (
    select from pg_constraint as c where c.conrelid = to_regclass($3::text) and c.conname = $2::text)
end
