-- Reads the steps of a task: $1 its id. Changes: nothing. Index: tasks by id, a range of steps by key.
select
  s.ordinal, s.state, s.parents, s.unmet, s.attempts, s.retry_limit, s.ready_at, s.held, s.worker_id,
  s.lease_until, s.started_at, s.ended_at, s.inputs, s.results, s.failure
from tasks as t cross join steps as s on s.key between t.key << 20 and (t.key << 20 | 1048575)
where t.id = $1
order by s.key;
