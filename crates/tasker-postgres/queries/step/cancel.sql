-- Calls off one step.
-- Locks: the task, then the step.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.cancel_step($1::bigint, $2::uuid, $3::integer, $4::text, $5::text)
