-- Reads the histories of several tasks: $1 their ids: [hex, ...]. Changes: nothing. Index: tasks by id,
-- transitions_by_task.
select r.seq, t.id as task_id, r.ordinal, r.attempt, r.from_state, r.to_state, r.cause, r.at, r.by, r.details
from json_each($1) as a
cross join tasks as t on t.id = unhex(a.value)
cross join transitions as r on r.task_key = t.key
order by r.seq;
