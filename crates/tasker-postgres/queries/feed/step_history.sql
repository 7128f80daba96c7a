-- The latest transitions of a step; the latest come first. The inner one is fenced in, so that they are found by their
-- task: from the end of all transitions it may be far to them.
-- Locks: nothing.
-- Uses: transitions_by_task.
select * from (
  select t.seq, t.task_id, t.ordinal, t.attempt, t.from_state::text, t.to_state::text, t.cause::text,
    tasker.micros(t.at) as at, t.by, t.details
  from tasker.transitions t
  where t.task_id = $1::uuid
  order by t.seq desc offset 0
) h
where h.ordinal = $2::integer
order by h.seq desc
limit $3::bigint
