-- Several tasks, each with its transitions as one text: as rows they cost half as much again, with what it takes to read
-- them. What stands in it: `Transition::unpack`.
-- Locks: nothing.
-- Uses: tasks_pkey, transitions_by_task.
select t.id, t.plan_id, t.state::text, t.initiator, t.source_system, to_json(t.tags) as tags, t.correlation_id,
  t.traceparent, tasker.micros(t.requested_at) as requested_at, tasker.micros(t.ended_at) as ended_at, (
    select string_agg(concat_ws(' ', m.seq, coalesce(m.ordinal, -1), coalesce(m.attempt, 0),
      coalesce(m.from_state::text, '-'), m.to_state, m.cause, tasker.micros(m.at), coalesce(octet_length(m.by), -1),
      coalesce(octet_length(m.details::text), -1), m.by, m.details), ' ')
    from (select * from tasker.transitions where task_id = t.id order by seq offset 0) m
  ) as transitions
from tasker.tasks t
where t.id = any ($1::uuid[])
