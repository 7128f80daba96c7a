-- Records how attempts ended, lets go on what waited for them, and judges their tasks.
--
-- now; settlements: [[task id, ordinal, attempt, worker or null if it is taken for dead, verdict, ready at,
-- document], ...]. The document is one text to SQLite, whatever it holds.
--
-- Changes: the steps settled, the steps after them, and their tasks, each once; adds transitions: the steps'
-- in the order given, then the tasks' by id. Index: tasks by id, steps and tasks by key, edges by parent.
-- Leaves what came of it in settled, promoted and judged. Called by `queries/batches/settle.sql`.

create temp view settle (now, settlements) as select null, null;

create temp trigger settle_steps instead of insert on settle begin

delete from settled;

insert into settled
with asked (n, id, ordinal, attempt, worker_id, verdict, ready_at, document) as materialized (
  select key, unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6
  from jsonb_each(new.settlements))
select
  a.n, s.key, t.key, t.id, p.template_id, a.ordinal, a.attempt, t.unfinished, t.active, s.held,
  a.verdict = 'snooze',
  case a.verdict when 'complete' then 'complete' when 'snooze' then 'pending' else 'error' end,
  case when a.verdict <> 'retry' or s.attempts < s.retry_limit then a.ready_at end,
  case
    when a.worker_id is null then 'lease_expired'
    when a.verdict = 'complete' then 'completed'
    when a.verdict = 'snooze' then 'snoozed'
    else 'failed' end,
  case when a.verdict = 'complete' then a.document end,
  case when a.verdict <> 'complete' then a.document end
from asked as a
cross join tasks as t on t.id = a.id
cross join plans as p on p.id = t.plan_id
cross join steps as s on s.key = (t.key << 20 | a.ordinal)
where s.state = 'in_progress'
  and s.attempts = a.attempt
  and case when a.worker_id is null then s.lease_until <= new.now else s.worker_id = a.worker_id end;

update steps set
  state = v.state,
  ready_at = v.ready_at,
  worker_id = null,
  lease_until = null,
  ended_at = new.now,
  retry_limit = min(steps.retry_limit + v.snoozed, 4294967295),
  results = coalesce(v.results, steps.results),
  failure = case when v.state = 'complete' then null else coalesce(v.failure, steps.failure) end
from settled as v
where steps.key = +v.key;

insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at, details)
select task_key, ordinal, attempt, 'in_progress', state, cause, new.now, failure from settled order by n;

delete from promoted;

insert into promoted
with met (key, count) as (
  select v.task_key << 20 | e.child, count(*)
  from settled as v
  cross join edges as e on e.template_id = v.template_id and e.parent = v.ordinal
  where v.state = 'complete'
  group by 1)
select s.key, m.count, s.unmet = m.count and s.state = 'pending', s.held
from met as m cross join steps as s on s.key = m.key;

update steps set unmet = unmet - p.met, ready_at = case when p.opens then new.now else ready_at end
from promoted as p
where steps.key = +p.key;

delete from judged;

insert into judged
with counted (task_key, task_id, unfinished, active) as (
  select task_key, task_id, unfinished - sum(state = 'complete'),
    active - sum(ready_at is null) + (
      select count(*) from promoted as p
      where p.key between task_key << 20 and (task_key << 20 | 1048575) and p.opens)
  from settled
  group by task_key)
select *, case when unfinished = 0 then 'complete' when active = 0 then 'error' end from counted;

update tasks set unfinished = j.unfinished, active = j.active
from judged as j
where tasks.key = +j.task_key and j.verdict is null;

update tasks set unfinished = j.unfinished, active = j.active, state = j.verdict, ended_at = new.now
from judged as j
where tasks.key = +j.task_key and j.verdict is not null;

insert into transitions (task_key, from_state, to_state, cause, at)
select task_key, 'in_progress', verdict, case verdict when 'complete' then 'completed' else 'blocked' end, new.now
from judged where verdict is not null order by task_id;

end;
