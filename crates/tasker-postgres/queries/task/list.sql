-- A part of the list of tasks, oldest first. Newest first is list_newest.
-- Locks: nothing.
-- Uses: tasks_pkey; with states other than complete tasks_by_state; with tags tasks_tags.
select t.id, t.plan_id, t.state::text, t.unfinished, t.active, t.context, t.initiator, t.source_system, t.reason,
  to_json(t.tags) as tags, to_json(t.bypass_steps) as bypass_steps, t.identity_hash, t.correlation_id, t.traceparent,
  tasker.micros(t.requested_at) as requested_at, tasker.micros(t.started_at) as started_at,
  tasker.micros(t.ended_at) as ended_at, tasker.micros(t.paused_at) as paused_at, t.paused_by, t.paused_reason
from tasker.tasks t
where ($1::tasker.state[] = '{}' or t.state = any ($1::tasker.state[]))
  and ($2::text[] = '{}' or (t.tags @> $2::text[] and t.tags <> '{}'))
  and (($3::text is null and $4::text is null) or t.plan_id = any (array(
    select p.id from tasker.plans p join tasker.templates m on m.id = p.template_id
    where ($3::text is null or m.namespace = $3::text) and ($4::text is null or m.name = $4::text))))
order by t.id
limit $5::bigint offset $6::bigint
