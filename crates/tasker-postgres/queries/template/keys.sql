-- The keys of all current templates.
-- Locks: nothing.
-- Uses: templates_current.
select t.namespace, t.name, t.version from tasker.templates t where t.current
