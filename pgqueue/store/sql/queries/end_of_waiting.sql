-- As end_of_live, of the members of workflows that wait at a gate. Walks waiting_id backwards.
select w.id
from pgqueue.waiting as w
where $1::uuid is null or w.id < $1
order by w.id desc
offset $2::int - 1
limit 1
