-- How many tasks with an id less than $1 nobody has begun, by namespace, without those that are paused, or whose
-- namespace is. The oldest $2 are looked at, and $3 of them counted. Stands in a message after session/by_index.
-- Locks: nothing.
-- Uses: tasks_by_state.
select m.namespace, sum(c.tasks)::bigint as tasks
from (
  select b.plan_id, count(*) as tasks from (
    select a.plan_id from (
      select t.plan_id, t.paused_at from tasker.tasks t
      where t.state = 'pending' and t.id < $1::uuid
      order by t.id limit $2::bigint
    ) a
    where a.paused_at is null and a.plan_id <> all (array(
      select p.id from tasker.plans p join tasker.templates m on m.id = p.template_id
      join tasker.namespaces n on n.name = m.namespace
      where n.paused_at is not null))
    limit $3::bigint
  ) b
  group by b.plan_id
) c
join tasker.plans p on p.id = c.plan_id
join tasker.templates m on m.id = p.template_id
group by m.namespace
order by m.namespace collate "C"
