-- The plan of a template for tasks of one priority, if it is there.
-- Locks: nothing.
-- Uses: plans by template and priority.
select p.id from tasker.plans p where p.template_id = $1::bigint and p.priority = $2::integer
