-- Who paused a namespace, if it is paused.
-- Locks: nothing.
-- Uses: namespaces_pkey.
select n.paused_by, tasker.micros(n.paused_at) as paused_at, n.paused_reason
from tasker.namespaces n
where n.name = $1::text and n.paused_at is not null
