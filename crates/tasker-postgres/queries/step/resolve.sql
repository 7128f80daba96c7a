-- Declares a step done, as if it had completed.
-- Locks: the task, then the step, then those that depend on it.
-- Uses: tasks_pkey, steps_pkey, edges_pkey.
select refusal, state::text, steps, made_ready from tasker.resolve_step($1::bigint, $2::uuid, $3::integer, $4::text, $5::text, $6::text)
