-- The transitions of several tasks, in order.
-- Locks: nothing.
-- Uses: transitions_by_task.
select t.seq, t.task_id, t.ordinal, t.attempt, t.from_state::text, t.to_state::text, t.cause::text,
  tasker.micros(t.at) as at, t.by, t.details
from tasker.transitions t
where t.task_id = any ($1::uuid[])
order by t.seq
