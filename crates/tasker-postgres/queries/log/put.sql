-- Keeps lines that attempts logged; those of tasks that do not exist are dropped.
-- Locks: nothing; a task that is pruned meanwhile leaves none behind that a later pruning would not take.
-- Uses: tasks_pkey.
insert into tasker.attempt_logs (task_id, ordinal, attempt, lines)
select l.task_id, l.ordinal, l.attempt, l.lines::json
from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[]) with ordinality
  as l (task_id, ordinal, attempt, lines, place)
where exists (select from tasker.tasks t where t.id = l.task_id)
order by l.place
