-- The steps of a task, by ordinal.
-- Locks: nothing.
-- Uses: steps_pkey.
select s.task_id, s.ordinal, s.state::text, s.parents, s.unmet, s.attempts, s.retry_limit,
  tasker.micros(s.ready_at) as ready_at, s.held, s.worker_id, tasker.micros(s.lease_until) as lease_until,
  tasker.micros(s.started_at) as started_at, tasker.micros(s.ended_at) as ended_at, s.inputs, s.results, s.failure
from tasker.steps s
where s.task_id = $1::uuid
order by s.ordinal
