-- Lists tasks by id: $1 namespace, $2 name of the template, $3 states: [state, ...], $4 tags: [tag, ...], each
-- null if it does not matter; $5 limit, $6 offset, $7 whether the newest come first; $8 which are looked through:
-- 'all', 'open', or the one state of $3 if that is neither open nor complete.
--
-- Changes: nothing. Index: of the six branches one runs: by id, tasks_open or tasks_unwell, either way round.

with wanted as not materialized (
  select t.key, t.id, t.state, t.ended_at
  from tasks as t
  cross join plans as p on p.id = t.plan_id
  cross join templates as m on m.id = p.template_id
  where ($1 is null or m.namespace = $1)
    and ($2 is null or m.name = $2)
    and ($3 is null or t.state in (select value from json_each($3)))
    and ($4 is null or not exists (
      select 1 from json_each($4) as tag where tag.value not in (select value from json_each(t.tags))))),
listed (key) as materialized (
  select * from (
    select key from wanted where $8 = 'all' and not $7 order by id limit $5 offset $6)
  union all
  select * from (
    select key from wanted where $8 = 'all' and $7 order by id desc limit $5 offset $6)
  union all
  select * from (
    select key from wanted where $8 = 'open' and not $7 and ended_at is null order by id limit $5 offset $6)
  union all
  select * from (
    select key from wanted where $8 = 'open' and $7 and ended_at is null order by id desc limit $5 offset $6)
  union all
  select * from (
    select key from wanted
    where $8 in ('error', 'cancelled', 'resolved_manually') and not $7
      and state in ('error', 'cancelled', 'resolved_manually') and state = $8
    order by id limit $5 offset $6)
  union all
  select * from (
    select key from wanted
    where $8 in ('error', 'cancelled', 'resolved_manually') and $7
      and state in ('error', 'cancelled', 'resolved_manually') and state = $8
    order by id desc limit $5 offset $6))
select
  id, plan_id, state, unfinished, active, context, initiator, source_system, reason, tags, bypass_steps,
  identity_hash, correlation_id, traceparent, requested_at, started_at, ended_at, paused_at, paused_by, paused_reason
from listed cross join tasks on tasks.key = listed.key
order by case when $7 then null else id end, id desc;
