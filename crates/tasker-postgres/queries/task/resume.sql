-- Ends the pause of a task.
-- Locks: the task, then its steps.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.resume($1::uuid)
