-- Reads several tasks with their histories: $1 their ids: [hex, ...]. Changes: nothing. Index: tasks by id,
-- transitions_by_task. The transitions of a task come as one text, whose reader sorts them: see `Transition::unpack`.
select
  t.id, t.plan_id, t.state, t.initiator, t.source_system, t.tags, t.correlation_id, t.traceparent, t.requested_at,
  t.ended_at, (
    select group_concat(concat_ws(' ', r.seq, ifnull(r.ordinal, -1), ifnull(r.attempt, 0), ifnull(r.from_state, '-'),
      r.to_state, r.cause, r.at, ifnull(octet_length(r.by), -1), ifnull(octet_length(r.details), -1),
      r.by, r.details), ' ')
    from transitions as r
    where r.task_key = t.key
  ) as transitions
from json_each($1) as a cross join tasks as t on t.id = unhex(a.value);
