-- Every lane, with since when the oldest step waits that is ready and not held.
-- Locks: nothing.
-- Uses: steps_claimable, once per lane.
select l.namespace, l.queue, l.handler, l.priority, tasker.micros(o.ready_at) as oldest_ready_at,
  n.paused_at is not null as paused
from (select tasker.present($1::bigint) as now offset 0) p
cross join tasker.lanes l
join tasker.namespaces n on n.name = l.namespace
left join lateral (
  select s.ready_at from tasker.steps s
  where s.lane_id = l.id and s.ready_at <= tasker.at(p.now) and not s.held
  order by s.ready_at limit 1
) o on true
order by l.id
