-- Takes leases: by priority, then by the lane whose turn it is, then by how long a step is ready.
--
-- now; queues and handlers: [name, ...]; turn; capacity; the worker's id, and the same as text; until when the
-- leases hold; the task whose steps are wanted, or null for those of any.
--
-- Changes: the steps claimed, and those of their tasks that had not begun; adds transitions: the tasks' by id,
-- then the steps' in the order claimed. Index: lanes by handler and queue; steps_ready, from the beginning of
-- each lane and no further than the capacity; steps and tasks by key. For one task the same, but passing over no more
-- steps of others than the task itself has: then its steps by key.
-- Leaves what came of it in claimed. Called by `queries/batches/claim.sql`.

create temp view claim (now, queues, handlers, turn, capacity, worker_id, worker_name, lease_until, task_id) as
select null, null, null, null, null, null, null, null, null;

create temp trigger claim_steps instead of insert on claim begin

delete from turns;

insert into turns (lane_id)
select l.id
from lanes as l
where l.handler in (select value from json_each(new.handlers))
  and l.queue in (select value from json_each(new.queues))
  and not exists (select 1 from namespaces as n where n.name = l.namespace and n.paused_at is not null)
order by l.priority desc, (l.id + new.turn) % 97, l.id;

delete from claimed;

insert into claimed (key, task_key, task_id, task_state, plan_id, is_retry, attempt, retry_limit, ready_at)
select s.key, t.key, s.task_id, t.state, t.plan_id, s.state = 'error', s.attempts + 1, s.retry_limit, s.ready_at
from turns as l
cross join steps as s indexed by steps_ready
  on s.lane_id = l.lane_id and s.ready_at <= new.now and s.ready_at is not null and s.held = 0
cross join tasks as t on t.key = s.key >> 20
where new.task_id is null
order by l.rank, s.ready_at, s.task_id, s.key
limit new.capacity;

insert into claimed (key, task_key, task_id, task_state, plan_id, is_retry, attempt, retry_limit, ready_at)
select s.key, t.key, s.task_id, t.state, t.plan_id, s.state = 'error', s.attempts + 1, s.retry_limit, s.ready_at
from (
  select r.key, r.task_id
  from turns as l
  cross join steps as r indexed by steps_ready
    on r.lane_id = l.lane_id and r.ready_at <= new.now and r.ready_at is not null and r.held = 0
  where new.task_id is not null
  order by l.rank, r.ready_at, r.task_id, r.key
  limit coalesce((select p.steps from tasks as f cross join plans as p on p.id = f.plan_id where f.id = new.task_id), 0)
) as w
cross join steps as s on s.key = w.key
cross join tasks as t on t.key = s.key >> 20
where w.task_id = new.task_id
limit new.capacity;

delete from searched;

insert into searched
select new.task_id
where case
  when new.task_id is null then false
  when (select count(*) from claimed) >= new.capacity then false
  else exists (
    select 1
    from turns as l
    cross join steps as r indexed by steps_ready
      on r.lane_id = l.lane_id and r.ready_at <= new.now and r.ready_at is not null and r.held = 0
    limit 1 offset coalesce(
      (select p.steps from tasks as f cross join plans as p on p.id = f.plan_id where f.id = new.task_id), 0))
  end;

delete from claimed where exists (select 1 from searched);

insert into claimed (key, task_key, task_id, task_state, plan_id, is_retry, attempt, retry_limit, ready_at)
select s.key, t.key, s.task_id, t.state, t.plan_id, s.state = 'error', s.attempts + 1, s.retry_limit, s.ready_at
from tasks as t
cross join steps as s on s.key between t.key << 20 and (t.key << 20 | 1048575)
  and s.ready_at <= new.now and s.held = 0
cross join lanes as l on l.id = s.lane_id
where t.id = (select task_id from searched)
  and l.handler in (select value from json_each(new.handlers))
  and l.queue in (select value from json_each(new.queues))
  and not exists (select 1 from namespaces as n where n.name = l.namespace and n.paused_at is not null)
order by l.priority desc, (l.id + new.turn) % 97, l.id, s.ready_at, s.key
limit new.capacity;

insert into transitions (task_key, from_state, to_state, cause, at)
select distinct task_key, 'pending', 'in_progress', 'started', new.now
from claimed where task_state = 'pending' order by task_id;

update tasks set state = 'in_progress', started_at = coalesce(started_at, new.now)
where key in (select task_key from claimed where task_state = 'pending');

insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at, by)
select c.task_key, c.key & 1048575, c.attempt, m.from_state, m.to_state, m.cause, new.now,
  case when m.to_state = 'in_progress' then new.worker_name end
from claimed as c cross join moves as m
where c.is_retry or m.from_state = 'pending'
order by c.n, m.rank;

update steps set
  state = 'in_progress',
  attempts = attempts + 1,
  ready_at = null,
  worker_id = new.worker_id,
  lease_until = new.lease_until,
  started_at = new.now,
  ended_at = null
where key in (select key from claimed);

end;
