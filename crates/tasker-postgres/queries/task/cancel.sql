-- Calls off a task with every step that has not ended.
-- Locks: the task, then its open steps by ordinal.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.cancel_task($1::bigint, $2::uuid, $3::text, $4::text)
