-- Locks all tasks and namespaces that a batch with commands is about, before anything else is changed.
-- Locks: tasks by id, then namespaces by name.
-- Uses: tasks_pkey, namespaces_pkey.
select tasker.lock_tasks($1::uuid[]), tasker.lock_namespaces($2::text[])
