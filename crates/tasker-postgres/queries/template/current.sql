-- The current template under a key.
-- Locks: nothing.
-- Uses: templates_current.
select t.id, t.definition, tasker.micros(t.created_at) as created_at
from tasker.templates t
where t.namespace = $1::text and t.name = $2::text and t.version = $3::text and t.current
