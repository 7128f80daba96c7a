-- Changes what describes a task.
-- Locks: the task.
-- Uses: tasks_pkey.
select refusal, state::text, steps, made_ready from tasker.update_task($1::uuid, $2::text, $3::text[])
