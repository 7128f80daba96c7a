-- Counts tasks that nobody has begun by namespace, without those that are paused, or whose namespace is: $1 only those
-- with a lesser id, $2 how many are looked at, $3 how many are counted. Changes: nothing. Index: tasks_open from its
-- beginning; plans and templates by id.
with late (plan_id, tasks) as materialized (
  select plan_id, count(*) from (
    select plan_id from (
      select t.plan_id, t.state, t.paused_at from tasks as t indexed by tasks_open
      where t.ended_at is null and t.id < $1
      order by t.id limit $2)
    where state = 'pending' and paused_at is null and plan_id not in (
      select p.id from plans as p cross join templates as m on m.id = p.template_id
      cross join namespaces as n on n.name = m.namespace
      where n.paused_at is not null)
    limit $3)
  group by plan_id)
select m.namespace, sum(l.tasks) as tasks
from late as l cross join plans as p on p.id = l.plan_id cross join templates as m on m.id = p.template_id
group by m.namespace
order by m.namespace;
