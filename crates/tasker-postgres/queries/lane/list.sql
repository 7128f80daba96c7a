-- Every lane with what waits in it and what is at work. Of what waits it reads $2 steps of a lane at most. Stands in a
-- message after session/by_index.
-- Locks: nothing.
-- Uses: steps_claimable, once per lane; steps_by_lease, which holds only what is at work.
with at_work as materialized (
  select s.lane_id, count(*) as running, min(s.started_at) as oldest_at from tasker.steps s
  where s.lease_until is not null group by s.lane_id
)
select l.namespace, l.queue, l.handler, l.priority, tasker.micros(o.oldest_at) as oldest_ready_at, o.ready,
  coalesce(w.running, 0) as running, tasker.micros(w.oldest_at) as oldest_running_at,
  n.paused_at is not null as paused
from (select tasker.present($1::bigint) as now offset 0) p
cross join tasker.lanes l
join tasker.namespaces n on n.name = l.namespace
cross join lateral (
  select count(*) as ready, min(r.ready_at) as oldest_at from (
    select s.ready_at from tasker.steps s
    where s.lane_id = l.id and s.ready_at <= tasker.at(p.now) and not s.held
    order by s.ready_at limit $2::bigint
  ) r
) o
left join at_work w on w.lane_id = l.id
order by l.id
