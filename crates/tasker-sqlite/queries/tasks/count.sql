-- Counts tasks by state: $1 how far those in error, cancelled and resolved are counted, $2 how many of the oldest open
-- ones and of those that ended last are looked at. Changes: nothing. Index: tasks_open from its beginning, tasks_ended
-- from its end, tasks_unwell once for each state.
with unwell (state) as (values ('error'), ('cancelled'), ('resolved_manually'))
select state, count(*) as tasks from (
  select t.state from tasks as t indexed by tasks_open
  where t.ended_at is null and t.id > x'' order by t.id limit $2)
group by state
union all
select 'complete', count(*) from (
  select t.state from tasks as t indexed by tasks_ended
  where t.state in ('complete', 'cancelled', 'resolved_manually') and t.ended_at is not null
  order by t.ended_at desc limit $2)
where state = 'complete'
union all
select u.state, (
  select count(*) from (
    select 1 from tasks as t indexed by tasks_unwell
    where t.state in ('error', 'cancelled', 'resolved_manually') and t.state = u.state
    limit $1))
from unwell as u;
