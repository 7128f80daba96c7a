-- A hop: a settlement and a claim, which is all that happens in an idle system. As one statement they cost less than as
-- two: parsing, planning and the settings of a function are paid once. Where nothing else is ready, what the settled step
-- lets go on is leased by the statement that promotes it, and is never written as ready.

-- Records how attempts ended. Called by functions that have the settings: they hold for it as well.
create or replace function tasker.settle_all(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  out settled text, out verdicts text, out made_ready bigint)
language plpgsql volatile as $$
declare
  v_now bigint := p_now;
  v_all record;
begin
  -- A single task is locked where it is settled.
  if cardinality(p_tasks) > least(tasker.few(), 1) then
    perform from tasker.tasks where id = any (p_tasks) order by id for no key update;
    v_now := tasker.present(p_now);
  end if;
  if cardinality(p_tasks) <= tasker.few() then
    v_all := tasker.settle_few(v_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays,
      p_payloads);
  else
    v_all := tasker.settle_many(v_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays,
      p_payloads);
  end if;
  settled := v_all.settled;
  verdicts := v_all.verdicts;
  made_ready := v_all.made_ready;
end
$$;

-- Records how attempts ended. Answers as before.
create or replace function tasker.settle(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  out settled text, out verdicts text, out made_ready bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_settled record := tasker.settle_all(
    p_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays, p_payloads);
begin
  settled := v_settled.settled;
  verdicts := v_settled.verdicts;
  made_ready := v_settled.made_ready;
end
$$;

-- Takes leases; leases is null if there is nothing to be had. Called by functions that have the settings.
create or replace function tasker.claim_all(
  p_now bigint, p_worker uuid, p_queues text[], p_handlers text[], p_capacity integer, p_lease bigint,
  p_turn bigint, p_task uuid,
  out leases text, out claimed_at bigint, out until bigint)
language plpgsql volatile as $$
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
      select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened, s.ready_at)::tasker.chosen
      from (
        select l.id from tasker.lanes l join tasker.namespaces n on n.name = l.namespace
        where l.handler = any (p_handlers) and l.queue = any (p_queues) and n.paused_at is null
        order by l.priority desc, (l.id + p_turn) % 97, l.id
      ) lane
      cross join lateral (
        select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened,
          s.ready_at
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
end
$$;

-- Takes leases. Answers as before.
create or replace function tasker.claim(
  p_now bigint, p_worker uuid, p_queues text[], p_handlers text[], p_capacity integer, p_lease bigint,
  p_turn bigint, p_task uuid)
returns table (leases text, claimed_at bigint, until bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_claimed record := tasker.claim_all(
    p_now, p_worker, p_queues, p_handlers, p_capacity, p_lease, p_turn, p_task);
begin
  if v_claimed.leases is not null then
    leases := v_claimed.leases;
    claimed_at := v_claimed.claimed_at;
    until := v_claimed.until;
    return next;
  end if;
end
$$;

-- Completes a step, and leases at once those of its children that become ready and that the worker serves. Null, and
-- nothing is done, if that is not all there is to do: something else is ready, or the task is not at work, or there are
-- more children than the worker has room for, or the lease does not hold any more. Answers as settle_and_claim does.
create or replace function tasker.hop(
  p_now bigint, p_task uuid, p_ordinal integer, p_attempt bigint, p_holder uuid, p_payload text,
  p_worker uuid, p_queues text[], p_handlers text[], p_capacity integer, p_lease bigint, p_turn bigint)
returns text
language plpgsql volatile as $$
declare
  v_now bigint := tasker.present(p_now);
  v_at timestamptz := tasker.at(v_now);
  v_until bigint := tasker.later(v_now, p_lease);
  v_lease_until timestamptz := tasker.at(v_until);
  v_lanes bigint[] := array(
    select l.id from tasker.lanes l join tasker.namespaces n on n.name = l.namespace
    where l.handler = any (p_handlers) and l.queue = any (p_queues) and n.paused_at is null
    order by l.priority desc, (l.id + p_turn) % 97, l.id);
  v_task record;
  v_moved record;
  v_verdict tasker.state;
begin
  -- Nothing is locked here: no step may be locked before its task.
  if exists (
    select from unnest(v_lanes) lane
    cross join lateral (
      select from tasker.steps s where s.lane_id = lane and s.ready_at <= v_at and not s.held
      order by s.ready_at, s.task_id, s.ordinal limit 1
    ) s)
  then
    return null;
  end if;
  select t.plan_id, t.state, t.unfinished, t.active, array(
    select e.child from tasker.edges e where e.template_id = p.template_id and e.parent = p_ordinal) as children
  into v_task
  from tasker.tasks t join tasker.plans p on p.id = t.plan_id where t.id = p_task
  for no key update of t;
  if v_task.state is distinct from 'in_progress' or cardinality(v_task.children) > p_capacity then
    return null;
  end if;
  -- The clock is read anew when nobody else can change the task any more.
  v_now := tasker.present(p_now);
  v_at := tasker.at(v_now);
  v_until := tasker.later(v_now, p_lease);
  v_lease_until := tasker.at(v_until);
  with moved as (
    -- One statement for the step and its children, as the constraints are read anew for each. The step itself has no
    -- unmet parents: what is said of those with one is said of children.
    update tasker.steps s set
      state = case when s.ordinal = p_ordinal then 'complete'
        when s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes) then 'in_progress'
        else s.state end,
      ready_at = case when s.ordinal = p_ordinal then null
        when s.unmet > 1 or s.state <> 'pending' then s.ready_at
        when s.held or s.lane_id <> all (v_lanes) then v_at end,
      unmet = s.unmet - (s.ordinal <> p_ordinal)::integer,
      attempts = s.attempts
        + (s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes))::integer,
      worker_id = case
        when s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes) then p_worker end,
      lease_until = case
        when s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes) then v_lease_until end,
      started_at = case
        when s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes) then v_at
        else s.started_at end,
      ended_at = case when s.ordinal = p_ordinal then v_at
        when s.unmet = 1 and s.state = 'pending' and not s.held and s.lane_id = any (v_lanes) then null
        else s.ended_at end,
      results = case when s.ordinal = p_ordinal then coalesce(p_payload, 'null')::json else s.results end,
      failure = case when s.ordinal <> p_ordinal then s.failure end
    where s.task_id = p_task and s.ordinal = any (v_task.children || p_ordinal)
      and (
        select o.state = 'in_progress' and o.attempts = p_attempt and o.worker_id = p_holder
        from tasker.steps o where o.task_id = p_task and o.ordinal = p_ordinal)
    returning s.ordinal, s.attempts, s.retry_limit, s.lane_id, s.state, s.held,
      s.ordinal <> p_ordinal and s.unmet = 0 and s.state in ('pending', 'in_progress') as promoted
  ), told as (
    insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
    select v_at, p_task, m.ordinal, m.attempts,
      case when m.ordinal = p_ordinal then 'in_progress' else 'pending' end::tasker.state, m.state,
      case when m.ordinal = p_ordinal then 'completed' else 'claimed' end::tasker.cause,
      case when m.ordinal <> p_ordinal then p_worker end
    from moved m
    where m.ordinal = p_ordinal or m.state = 'in_progress'
    order by m.ordinal <> p_ordinal, array_position(v_lanes, m.lane_id), m.ordinal
  )
  select count(*) as steps,
    count(*) filter (where m.promoted) as promoted,
    count(*) filter (where m.promoted and not m.held) as made_ready,
    string_agg(concat_ws(' ', p_task, m.ordinal, m.attempts, m.retry_limit, v_task.plan_id, 1, v_now, 0), ','
      order by array_position(v_lanes, m.lane_id), m.ordinal) filter (where m.state = 'in_progress') as leases
  into v_moved from moved m;
  if v_moved.steps = 0 then
    return null;
  end if;
  v_task.unfinished := v_task.unfinished - 1;
  v_task.active := v_task.active - 1 + v_moved.promoted;
  if v_task.unfinished = 0 then
    v_verdict := 'complete';
  elsif v_task.active = 0 then
    v_verdict := 'error';
  end if;
  update tasker.tasks set unfinished = v_task.unfinished, active = v_task.active,
    state = coalesce(v_verdict, 'in_progress'), ended_at = case when v_verdict is not null then v_at end
  where id = p_task;
  if v_verdict is not null then
    insert into tasker.transitions (at, task_id, from_state, to_state, cause)
    values (v_at, p_task, 'in_progress', v_verdict,
      case v_verdict when 'complete' then 'completed' else 'blocked' end::tasker.cause);
  end if;
  return concat('1 complete|', p_task || ' ' || v_verdict, '|', v_moved.made_ready, '|', v_moved.leases, '|',
    v_now, '|', v_until);
end
$$;

-- Records how attempts ended, and then takes leases. Answers what both answer, one after the other, with bars between:
-- settled, verdicts, made_ready, leases, claimed_at, until. Columns would cost more than to take a text apart.
create or replace function tasker.settle_and_claim(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  p_worker uuid, p_queues text[], p_handlers text[], p_capacity integer, p_lease bigint, p_turn bigint, p_task uuid)
returns text
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_answer text;
  v_settled record;
  v_claimed record;
begin
  if cardinality(p_tasks) = 1 and p_verdicts[1] = 'complete' and p_workers[1] is not null and p_task is null
    and tasker.few() > 0
  then
    v_answer := tasker.hop(p_now, p_tasks[1], p_ordinals[1], p_attempts[1], p_workers[1], p_payloads[1],
      p_worker, p_queues, p_handlers, p_capacity, p_lease, p_turn);
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  v_settled := tasker.settle_all(
    p_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays, p_payloads);
  v_claimed := tasker.claim_all(
    p_now, p_worker, p_queues, p_handlers, p_capacity, p_lease, p_turn, p_task);
  return concat(
    v_settled.settled, '|', v_settled.verdicts, '|', v_settled.made_ready, '|',
    v_claimed.leases, '|', v_claimed.claimed_at, '|', v_claimed.until);
end
$$;
