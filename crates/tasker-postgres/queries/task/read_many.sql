-- Several tasks.
-- Locks: nothing.
-- Uses: tasks_pkey.
select t.id, t.plan_id, t.state::text, t.unfinished, t.active, t.context, t.initiator, t.source_system, t.reason,
  to_json(t.tags) as tags, to_json(t.bypass_steps) as bypass_steps, t.identity_hash, t.correlation_id, t.traceparent,
  tasker.micros(t.requested_at) as requested_at, tasker.micros(t.started_at) as started_at,
  tasker.micros(t.ended_at) as ended_at, tasker.micros(t.paused_at) as paused_at, t.paused_by, t.paused_reason
from tasker.tasks t
where t.id = any ($1::uuid[])
