-- Reads several tasks: $1 their ids: [hex, ...]. Changes: nothing. Index: tasks by id.
select
  t.id, t.plan_id, t.state, t.unfinished, t.active, t.context, t.initiator, t.source_system, t.reason, t.tags,
  t.bypass_steps, t.identity_hash, t.correlation_id, t.traceparent, t.requested_at, t.started_at, t.ended_at,
  t.paused_at, t.paused_by, t.paused_reason
from json_each($1) as a cross join tasks as t on t.id = unhex(a.value);
