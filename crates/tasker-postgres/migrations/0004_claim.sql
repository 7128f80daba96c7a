-- Claim and renew: what workers ask for, and what both have in common with settling.
--
-- What is asked for a few steps is done step by step, in plain statements; what is asked for many is done for
-- all in one go. The first is several times quicker for one step, the second for a thousand, and both record
-- the same.
--
-- A function that works in several statements hands rows from one to the next as an array of a composite type:
-- of all ways this one costs least. What it answers it answers as text in one row.

-- How many steps are a few. A test sets it to none.
create or replace function tasker.few() returns integer
language sql immutable parallel safe as $$
  select 3
$$;

-- Moves tasks that are pending to in_progress and records it. Tasks that another transaction holds are left
-- alone: nobody waits here, and the first settlement of such a task does it instead.
create or replace function tasker.start(p_now bigint, p_tasks uuid[]) returns void
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
begin
  if p_tasks = '{}' then
    return;
  end if;
  with due as (
    -- Written so that no index on the state can be used: the tasks are to be found by their ids.
    select id from tasker.tasks where id = any (p_tasks) and (state = 'pending') is true
    order by id for no key update skip locked
  ), started as (
    update tasker.tasks t set state = 'in_progress', started_at = coalesce(t.started_at, v_at)
    from due where t.id = due.id
    returning t.id
  )
  insert into tasker.transitions (at, task_id, from_state, to_state, cause)
  select v_at, id, 'pending', 'in_progress', 'started' from started order by id;
end
$$;

-- Opened is a step that this transaction has written before it chose it: made it ready, if it settles or makes
-- tasks and does nothing else.
create type tasker.chosen as (place bigint, task_id uuid, ordinal integer, retried boolean, opened boolean);

create type tasker.leased as (
  place bigint, task_id uuid, ordinal integer, attempt integer, retry_limit bigint, plan_id bigint,
  retried boolean, waits_for_start boolean, opened boolean);

-- Leases a few chosen steps, one by one. They are locked.
create or replace function tasker.lease_few(
  p_now bigint, p_until timestamptz, p_worker uuid, p_chosen tasker.chosen[])
returns text
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_chosen tasker.chosen;
  v_task record;
  v_step record;
  v_leases text[];
begin
  foreach v_chosen in array p_chosen loop
    select t.plan_id, t.state into v_task from tasker.tasks t where t.id = v_chosen.task_id;
    if v_task.state = 'pending' then
      perform tasker.start(p_now, array[v_chosen.task_id]);
    end if;
    update tasker.steps s set state = 'in_progress', attempts = s.attempts + 1, ready_at = null,
      worker_id = p_worker, lease_until = p_until, started_at = v_at, ended_at = null
    where s.task_id = v_chosen.task_id and s.ordinal = v_chosen.ordinal
    returning s.attempts, s.retry_limit into v_step;
    if v_chosen.retried then
      insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause)
      values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'error', 'pending', 'retry_due');
    end if;
    insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
    values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'pending', 'in_progress', 'claimed',
      p_worker);
    v_leases := v_leases || concat_ws(' ', v_chosen.task_id, v_chosen.ordinal, v_step.attempts, v_step.retry_limit,
      v_task.plan_id, v_chosen.opened::integer);
  end loop;
  return array_to_string(v_leases, ',');
end
$$;

-- Leases many chosen steps. They are locked.
create or replace function tasker.lease_many(
  p_now bigint, p_until timestamptz, p_worker uuid, p_chosen tasker.chosen[])
returns text
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_leased tasker.leased[];
  v_leases text;
begin
  with leased as (
    update tasker.steps s set state = 'in_progress', attempts = s.attempts + 1, ready_at = null,
      worker_id = p_worker, lease_until = p_until, started_at = v_at, ended_at = null
    from unnest(p_chosen) c
    -- An optimization fence: tasks are to be found by their ids.
    cross join lateral (select plan_id, state from tasker.tasks where id = c.task_id offset 0) t
    where s.task_id = c.task_id and s.ordinal = c.ordinal
    returning row(c.place, s.task_id, s.ordinal, s.attempts, s.retry_limit, t.plan_id, c.retried,
      t.state = 'pending', c.opened)::tasker.leased as lease
  )
  select array_agg(lease) into v_leased from leased;
  perform tasker.start(p_now, array(select l.task_id from unnest(v_leased) l where l.waits_for_start));
  insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
  select v_at, m.task_id, m.ordinal, m.attempt, m.from_state, m.to_state, m.cause, m.by
  from (
    select l.place, 1 as part, l.task_id, l.ordinal, l.attempt, 'error'::tasker.state as from_state,
      'pending'::tasker.state as to_state, 'retry_due'::tasker.cause as cause, null as by
    from unnest(v_leased) l where l.retried
    union all
    select l.place, 2, l.task_id, l.ordinal, l.attempt, 'pending', 'in_progress', 'claimed', p_worker::text
    from unnest(v_leased) l
    order by 1, 2
  ) m;
  select string_agg(concat_ws(' ', l.task_id, l.ordinal, l.attempt, l.retry_limit, l.plan_id, l.opened::integer), ','
    order by l.place)
  into v_leases from unnest(v_leased) l;
  return v_leases;
end
$$;

-- Chooses and locks steps of one task, as a claim would choose them if there were no others. It goes through what is
-- ready, but passes over no more steps of other tasks than the task itself has: then it goes through the task.
create or replace function tasker.choose_of(
  p_task uuid, p_at timestamptz, p_queues text[], p_handlers text[], p_capacity integer, p_turn bigint)
returns tasker.chosen[]
language plpgsql volatile as $$
declare
  v_steps integer := (
    select p.steps from tasker.tasks t join tasker.plans p on p.id = t.plan_id where t.id = p_task);
  v_lanes bigint[] := array(
    select l.id from tasker.lanes l join tasker.namespaces n on n.name = l.namespace
    where l.handler = any (p_handlers) and l.queue = any (p_queues) and n.paused_at is null
    order by l.priority desc, (l.id + p_turn) % 97, l.id);
  v_chosen tasker.chosen[];
begin
  if v_steps is null then
    return '{}';
  end if;
  v_chosen := array(
    select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened)::tasker.chosen
    from (
      select w.task_id, w.ordinal
      from unnest(v_lanes) lane
      cross join lateral (
        select s.task_id, s.ordinal from tasker.steps s
        where s.lane_id = lane and s.ready_at <= p_at and not s.held
        order by s.ready_at, s.task_id, s.ordinal limit v_steps
      ) w
      limit v_steps
    ) w
    cross join lateral (
      select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened
      from tasker.steps s
      where s.task_id = w.task_id and s.ordinal = w.ordinal and s.ready_at <= p_at and not s.held
      for no key update skip locked
    ) s
    where w.task_id = p_task
    limit p_capacity);
  if cardinality(v_chosen) = p_capacity then
    return v_chosen;
  end if;
  if not exists (
    select from unnest(v_lanes) lane
    cross join lateral (
      select from tasker.steps s where s.lane_id = lane and s.ready_at <= p_at and not s.held
      order by s.ready_at, s.task_id, s.ordinal limit v_steps + 1
    ) w
    offset v_steps limit 1)
  then
    return v_chosen;
  end if;
  return array(
    select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened)::tasker.chosen
    from (
      select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened
      from tasker.steps s
      join tasker.lanes l on l.id = s.lane_id
      join tasker.namespaces n on n.name = l.namespace
      where s.task_id = p_task and s.ready_at <= p_at and not s.held
        and l.handler = any (p_handlers) and l.queue = any (p_queues) and n.paused_at is null
      order by l.priority desc, (l.id + p_turn) % 97, l.id, s.ready_at, s.ordinal
      limit p_capacity
      for no key update of s skip locked
    ) s);
end
$$;

-- Takes leases on steps that are ready: by priority, then by the lane whose turn it is, then by how long a
-- step is ready; those of one task, or of any where it is null. Answers one row, or none: the leases as
-- "task ordinal attempt retry_limit plan opened", with commas between them.
create or replace function tasker.claim(
  p_now bigint, p_worker uuid, p_queues text[], p_handlers text[], p_capacity integer, p_lease bigint,
  p_turn bigint, p_task uuid)
returns table (leases text, claimed_at bigint, until bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_at timestamptz;
  v_chosen tasker.chosen[];
begin
  claimed_at := tasker.present(p_now);
  until := tasker.later(claimed_at, p_lease);
  v_at := tasker.at(claimed_at);
  if p_task is not null then
    v_chosen := tasker.choose_of(p_task, v_at, p_queues, p_handlers, p_capacity, p_turn);
  else
    v_chosen := array(
      select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened)::tasker.chosen
      from (
        select l.id from tasker.lanes l join tasker.namespaces n on n.name = l.namespace
        where l.handler = any (p_handlers) and l.queue = any (p_queues) and n.paused_at is null
        order by l.priority desc, (l.id + p_turn) % 97, l.id
      ) lane
      cross join lateral (
        select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened
        from tasker.steps s
        where s.lane_id = lane.id and s.ready_at <= v_at and not s.held
        order by s.ready_at, s.task_id, s.ordinal limit p_capacity
        for no key update skip locked
      ) s
      limit p_capacity);
  end if;
  if cardinality(v_chosen) = 0 then
    return;
  elsif cardinality(v_chosen) <= tasker.few() then
    leases := tasker.lease_few(claimed_at, tasker.at(until), p_worker, v_chosen);
  else
    leases := tasker.lease_many(claimed_at, tasker.at(until), p_worker, v_chosen);
  end if;
  return next;
end
$$;

-- Makes leases hold until p_lease from now. Answers for each, in order, until when it holds, or null if it
-- is gone. Never waits: a lease whose row another transaction has locked holds as long as it did.
create or replace function tasker.renew(
  p_now bigint, p_worker uuid, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_lease bigint)
returns table (until bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_until bigint := tasker.later(tasker.present(p_now), p_lease);
begin
  return query
  with asked as (
    select * from unnest(p_tasks, p_ordinals, p_attempts) with ordinality
      as a (task_id, ordinal, attempt, place)
  ), free as (
    select s.task_id, s.ordinal, s.attempts
    from (select distinct a.task_id, a.ordinal, a.attempt from asked a) a
    join tasker.steps s on s.task_id = a.task_id and s.ordinal = a.ordinal
    where s.attempts = a.attempt and s.worker_id = p_worker
    order by s.task_id, s.ordinal
    for no key update of s skip locked
  ), renewed as (
    update tasker.steps s set lease_until = tasker.at(v_until)
    from free f where s.task_id = f.task_id and s.ordinal = f.ordinal
    returning s.task_id, s.ordinal
  )
  select case when r.task_id is not null then v_until else tasker.micros(s.lease_until) end
  from asked a
  left join tasker.steps s on s.task_id = a.task_id and s.ordinal = a.ordinal and s.attempts = a.attempt
    and s.worker_id = p_worker
  left join renewed r on r.task_id = s.task_id and r.ordinal = s.ordinal
  order by a.place;
end
$$;
