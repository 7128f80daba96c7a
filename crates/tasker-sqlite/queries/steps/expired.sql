-- Finds leases whose time has run out: $1 now, $2 limit. Changes: nothing. Index: steps_leased, from its beginning;
-- tasks by key.
select s.task_id, s.ordinal, s.attempts, s.worker_id, s.lease_until, t.plan_id
from steps as s cross join tasks as t on t.key = s.key >> 20
where s.lease_until <= $1 and s.lease_until is not null
order by s.lease_until, s.task_id, s.key
limit $2;
