-- Lets no further step of a task be claimed.
-- Locks: the task, then its steps.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.pause($1::bigint, $2::uuid, $3::text, $4::text)
