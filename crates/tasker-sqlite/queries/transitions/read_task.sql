-- Reads the history of a task: $1 its id. Changes: nothing. Index: tasks by id, transitions_by_task.
select r.seq, t.id as task_id, r.ordinal, r.attempt, r.from_state, r.to_state, r.cause, r.at, r.by, r.details
from tasks as t cross join transitions as r on r.task_key = t.key
where t.id = $1
order by r.seq;
