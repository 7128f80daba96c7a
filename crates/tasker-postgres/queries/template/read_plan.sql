-- A plan with its template.
-- Locks: nothing.
-- Uses: plans_pkey, templates_pkey.
select p.id, p.priority, t.id as template_id, t.definition
from tasker.plans p join tasker.templates t on t.id = p.template_id
where p.id = $1::bigint
