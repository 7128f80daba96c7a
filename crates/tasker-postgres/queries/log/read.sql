-- What the attempts of a task logged, or those of one of its steps.
-- Locks: nothing.
-- Uses: attempt_logs_by_task.
select ordinal, attempt, lines from tasker.attempt_logs
where task_id = $1::uuid and ($2::integer is null or ordinal = $2::integer)
order by ordinal, attempt, seq
