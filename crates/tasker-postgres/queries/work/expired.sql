-- Leases whose time has run out, oldest first.
-- Locks: nothing.
-- Uses: steps_by_lease, tasks_pkey.
select s.task_id, s.ordinal, s.attempts, t.plan_id, s.worker_id, tasker.micros(s.lease_until) as until
from tasker.steps s join tasker.tasks t on t.id = s.task_id
where s.lease_until <= tasker.at(tasker.present($1::bigint))
order by s.lease_until, s.task_id, s.ordinal
limit $2::bigint
