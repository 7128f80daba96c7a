-- Lists the lanes with how long their oldest ready step has waited: $1 now. Changes: nothing.
-- Index: steps_ready once for each lane; namespaces by name.
select
  l.namespace, l.queue, l.handler, l.priority, n.paused_at is not null as is_paused,
  (select s.ready_at from steps as s indexed by steps_ready
    where s.lane_id = l.id and s.ready_at <= $1 and s.ready_at is not null and s.held = 0
    order by s.ready_at limit 1) as oldest_ready_at
from lanes as l cross join namespaces as n on n.name = l.namespace
order by l.id;
