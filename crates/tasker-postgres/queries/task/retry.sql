-- Gives failed steps another attempt: one, or all of a task.
-- Locks: the task, then its failed steps by ordinal.
-- Uses: tasks_pkey, steps_pkey, plan_steps_pkey.
select refusal, state::text, steps, made_ready from tasker.retry($1::bigint, $2::uuid, $3::integer, $4::bigint, $5::text)
