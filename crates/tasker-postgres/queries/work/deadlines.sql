-- The present, when the next step becomes ready that is not, and when the next lease runs out.
-- Locks: nothing.
-- Uses: steps_claimable, once per lane; steps_by_lease.
select p.now,
  (select min(tasker.micros(n.ready_at)) from tasker.lanes l cross join lateral (
    select s.ready_at from tasker.steps s
    where s.lane_id = l.id and s.ready_at > tasker.at(p.now) and not s.held
    order by s.ready_at limit 1) n) as next_ready_at,
  (select tasker.micros(min(s.lease_until)) from tasker.steps s where s.lease_until is not null) as next_expiry
from (select tasker.present($1::bigint) as now offset 0) p
