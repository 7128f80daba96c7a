-- Declares a task in error done; its steps that have not ended are cancelled.
-- Locks: the task, then its open steps by ordinal.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.resolve_task($1::bigint, $2::uuid, $3::text, $4::text)
