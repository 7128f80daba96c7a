-- Looks for what stands in the way of new tasks.
--
-- $14 tasks: [[id, plan, identity, time after which an equal task counts], ...].
--
-- Changes: nothing. Index: plans by id, tasks by id, tasks_identity.
-- Answers: `obstacle` for each task whose plan is not stored, whose id is taken, or that has an equal.

with asked (n, id, plan_id, identity_hash, since) as materialized (
  select key, unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3 from jsonb_each($14)),
compared as (
  select
    n,
    not exists (select 1 from plans where plans.id = plan_id) as is_planless,
    exists (select 1 from tasks where tasks.id = asked.id) as is_taken,
    case when identity_hash is not null then (
      select key from tasks
      where tasks.identity_hash = asked.identity_hash and tasks.identity_since > since
      order by tasks.identity_since desc, tasks.id desc limit 1) end as equal_key
  from asked)
select n as obstacle, is_planless, is_taken, e.id, e.identity_since
from compared left join tasks as e on e.key = equal_key
where is_planless or is_taken or equal_key is not null;
