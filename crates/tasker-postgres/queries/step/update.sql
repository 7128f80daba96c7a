-- Changes the inputs or the retry limit of a step that has not ended.
-- Locks: the task, then the step.
-- Uses: tasks_pkey, steps_pkey.
select refusal, state::text, steps, made_ready from tasker.update_step($1::uuid, $2::integer, $3::text, $4::bigint)
