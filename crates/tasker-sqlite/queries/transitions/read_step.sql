-- Reads the latest of the history of a step: $1 the id of its task, $2 its ordinal, $3 limit. Changes: nothing.
-- Index: tasks by id, transitions_by_task from its end. The latest come first.
select r.seq, t.id as task_id, r.ordinal, r.attempt, r.from_state, r.to_state, r.cause, r.at, r.by, r.details
from tasks as t cross join transitions as r on r.task_key = t.key
where t.id = $1 and r.ordinal = $2
order by r.seq desc
limit $3;
