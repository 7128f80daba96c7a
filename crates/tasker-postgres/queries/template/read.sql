-- A template by its number.
-- Locks: nothing.
-- Uses: templates_pkey.
select t.id, t.definition, tasker.micros(t.created_at) as created_at
from tasker.templates t
where t.id = $1::bigint
