-- Removes tasks that ended so long ago, with steps and transitions.
-- Locks: the tasks, skipping those that are held; never waits.
-- Uses: tasks_ended, transitions_by_task, steps_pkey.
select tasks, more from tasker.prune($1::bigint, $2::bigint, $3::bigint, $4::bigint)
