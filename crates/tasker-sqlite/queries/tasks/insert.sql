-- Makes tasks with their steps.
--
-- now; tasks: [[id, plan, requested at, identity, initiator, source system, reason, tags, bypassed steps,
-- context, correlation id, traceparent], ...]; how many they are. Lists and the context are each one text to SQLite.
--
-- Changes: adds tasks, steps and transitions, in the order given. Index: plans by id, plan_steps by plan.
-- Called by `queries/batches/insert.sql`.

create temp view submit (now, tasks, count) as select null, null, null;

create temp trigger submit_tasks instead of insert on submit begin

insert into tasks (
  id, plan_id, unfinished, active, state, requested_at, identity_hash, identity_since, initiator, source_system,
  reason, tags, bypass_steps, context, correlation_id, traceparent)
select
  unhex(j.value ->> 0), p.id, p.steps, p.roots, 'pending',
  j.value ->> 2, j.value ->> 3, case when j.value ->> 3 is not null then new.now end, j.value ->> 4,
  j.value ->> 5, j.value ->> 6, j.value ->> 7, j.value ->> 8, j.value ->> 9,
  j.value ->> 10, j.value ->> 11
from jsonb_each(new.tasks) as j cross join plans as p on p.id = j.value ->> 1;

insert into steps (key, task_id, lane_id, parents, unmet, attempts, retry_limit, held, state, ready_at)
select
  t.key << 20 | p.ordinal, t.id, p.lane_id, p.parents, p.parents, 0, p.retry_limit, 0, 'pending',
  case when p.parents = 0 then new.now end
from tasks as t cross join plan_steps as p on p.plan_id = t.plan_id
where t.key > (select max(key) from tasks) - new.count;

insert into transitions (task_key, to_state, cause, at)
select key, 'pending', 'submitted', new.now from tasks where key > (select max(key) from tasks) - new.count order by key;

end;
