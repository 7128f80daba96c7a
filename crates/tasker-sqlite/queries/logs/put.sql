-- Keeps lines that attempts logged: $1 [[task id, ordinal, attempt, [[time, text], ...]], ...]. Those of tasks that do not
-- exist are dropped. Changes: adds rows in the order given. Index: tasks by id.
insert into attempt_logs (task_key, ordinal, attempt, lines)
select t.key, j.value ->> 1, j.value ->> 2, j.value -> 3
from json_each($1) as j cross join tasks as t on t.id = unhex(j.value ->> 0)
order by j.key;
