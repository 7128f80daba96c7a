-- Lists the lanes with what waits in each and what is at work: $1 now, $2 how far ready steps are counted. Changes:
-- nothing. Index: steps_ready twice for each lane, of which it reads $2 rows at most; steps_leased, which holds only
-- what is at work; namespaces by name.
with at_work (lane_id, running, oldest_running_at) as materialized (
  select lane_id, sum(is_running), min(started_at) from (
    select l.id as lane_id, 0 as is_running, null as started_at from lanes as l
    union all
    select s.lane_id, 1, s.started_at from steps as s indexed by steps_leased where s.lease_until is not null)
  group by lane_id)
select
  l.namespace, l.queue, l.handler, l.priority, n.paused_at is not null as is_paused,
  (select s.ready_at from steps as s indexed by steps_ready
    where s.lane_id = l.id and s.ready_at <= $1 and s.ready_at is not null and s.held = 0
    order by s.ready_at limit 1) as oldest_ready_at,
  (select count(*) from (
    select 1 from steps as s indexed by steps_ready
    where s.lane_id = l.id and s.ready_at <= $1 and s.ready_at is not null and s.held = 0
    limit $2)) as ready,
  w.running, w.oldest_running_at
from at_work as w cross join lanes as l on l.id = w.lane_id cross join namespaces as n on n.name = l.namespace
order by l.id;
