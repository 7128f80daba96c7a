-- Reads what the attempts of a task logged: $1 its id, $2 the ordinal of a step, or null for all. Changes: nothing.
-- Index: tasks by id, attempt_logs_by_task.
select l.ordinal, l.attempt, l.lines
from tasks as t cross join attempt_logs as l on l.task_key = t.key
where t.id = $1 and ($2 is null or l.ordinal = $2)
order by l.ordinal, l.attempt, l.seq;
