-- Reads a task: $1 its id. Changes: nothing. Index: tasks by id.
select
  id, plan_id, state, unfinished, active, context, initiator, source_system, reason, tags, bypass_steps,
  identity_hash, correlation_id, traceparent, requested_at, started_at, ended_at, paused_at, paused_by, paused_reason
from tasks where id = $1;
