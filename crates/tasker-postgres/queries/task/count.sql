-- How many tasks are in each state, each counted to $1. Stands in a message after session/by_index.
-- Locks: nothing.
-- Uses: tasks_ended for those that are complete, tasks_by_state for the others.
select s.state::text as state, c.tasks
from unnest(enum_range(null::tasker.state)) s (state)
cross join lateral (
  select count(*) as tasks from (
    select from tasker.tasks t where t.state = s.state and t.state <> 'complete' limit $1::bigint
  ) t
) c
where s.state <> 'complete'
union all
select 'complete', count(*) from (
  select from tasker.tasks t where t.state = 'complete' and t.ended_at is not null limit $1::bigint
) t
