-- One step at a time, as in an idle system, with fewer statements: each costs a commit as much as the row it writes.
-- A task is read where it is locked, a step is leased and its task looked at in one, and functions are called as
-- expressions, for which no plan is run.

-- Leases a few chosen steps, one by one. They are locked.
create or replace function tasker.lease_few(
  p_now bigint, p_until timestamptz, p_worker uuid, p_chosen tasker.chosen[])
returns text
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_chosen tasker.chosen;
  v_step record;
  v_leases text[];
begin
  foreach v_chosen in array p_chosen loop
    update tasker.steps s set state = 'in_progress', attempts = s.attempts + 1, ready_at = null,
      worker_id = p_worker, lease_until = p_until, started_at = v_at, ended_at = null
    from tasker.tasks t
    where s.task_id = v_chosen.task_id and s.ordinal = v_chosen.ordinal and t.id = s.task_id
    returning s.attempts, s.retry_limit, t.plan_id, t.state into v_step;
    if v_step.state = 'pending' then
      perform tasker.start(p_now, array[v_chosen.task_id]);
    end if;
    if v_chosen.retried then
      insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause)
      values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'error', 'pending', 'retry_due');
    end if;
    insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
    values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'pending', 'in_progress', 'claimed',
      p_worker);
    v_leases := v_leases || concat_ws(' ', v_chosen.task_id, v_chosen.ordinal, v_step.attempts, v_step.retry_limit,
      v_step.plan_id, v_chosen.opened::integer);
  end loop;
  return array_to_string(v_leases, ',');
end
$$;

-- Records how one attempt ended, and locks its task if that has not been done.
create or replace function tasker.settle_one(
  p_now bigint, p_task uuid, p_ordinal integer, p_attempt bigint, p_worker uuid, p_verdict text, p_time bigint,
  p_delay bigint, p_payload text,
  out settled text, out verdict tasker.state, out made_ready bigint)
language plpgsql volatile as $$
declare
  v_now bigint;
  v_at timestamptz;
  v_task record;
  v_step record;
  v_child record;
begin
  select t.plan_id, t.state, t.unfinished, t.active into v_task from tasker.tasks t where t.id = p_task
  for no key update;
  -- The clock is read when nobody else can change the task any more.
  v_now := tasker.present(p_now);
  v_at := tasker.at(v_now);
  update tasker.steps s set
    state = case p_verdict when 'complete' then 'complete' when 'snooze' then 'pending' else 'error' end::tasker.state,
    ready_at = case when p_verdict = 'snooze' or (p_verdict = 'retry' and s.attempts < s.retry_limit)
      then tasker.at(coalesce(p_time, tasker.later(v_now, p_delay))) end,
    lease_until = null,
    worker_id = null,
    ended_at = v_at,
    retry_limit = case p_verdict when 'snooze' then least(s.retry_limit + 1, 4294967295) else s.retry_limit end,
    results = case p_verdict when 'complete' then coalesce(p_payload, 'null')::json else s.results end,
    failure = case p_verdict when 'complete' then null when 'snooze' then s.failure else p_payload::json end
  where s.task_id = p_task and s.ordinal = p_ordinal and s.state = 'in_progress' and s.attempts = p_attempt
    and case when p_worker is null then s.lease_until <= v_at else s.worker_id = p_worker end
  returning s.state, s.ready_at, s.held into v_step;
  if not found then
    return;
  end if;
  if v_task.state = 'pending' then
    -- The claim found the task locked, and left it to whoever settles first.
    perform tasker.start(v_now, array[p_task]);
    v_task.state := 'in_progress';
  end if;
  insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, details)
  values (v_at, p_task, p_ordinal, p_attempt, 'in_progress', v_step.state,
    case when p_worker is null then 'lease_expired' when p_verdict = 'complete' then 'completed'
      when p_verdict = 'snooze' then 'snoozed' else 'failed' end::tasker.cause,
    case when p_verdict in ('retry', 'fail') then p_payload::json end);
  made_ready := (v_step.ready_at is not null and not v_step.held)::integer;
  v_task.active := v_task.active - (v_step.ready_at is null)::integer;
  if v_step.state = 'complete' then
    v_task.unfinished := v_task.unfinished - 1;
    for v_child in
      update tasker.steps c set unmet = c.unmet - 1,
        ready_at = case when c.unmet = 1 and c.state = 'pending' then v_at else c.ready_at end
      from tasker.plans p
      cross join lateral (
        select child from tasker.edges where template_id = p.template_id and parent = p_ordinal offset 0
      ) e
      where p.id = v_task.plan_id and c.task_id = p_task and c.ordinal = e.child
      returning c.unmet = 0 and c.state = 'pending' as ready, c.held
    loop
      v_task.active := v_task.active + v_child.ready::integer;
      made_ready := made_ready + (v_child.ready and not v_child.held)::integer;
    end loop;
  end if;
  if v_task.unfinished = 0 then
    verdict := 'complete';
  elsif v_task.active = 0 then
    verdict := 'error';
  end if;
  update tasker.tasks set unfinished = v_task.unfinished, active = v_task.active,
    state = coalesce(verdict, v_task.state), ended_at = case when verdict is not null then v_at end
  where id = p_task;
  if verdict is not null then
    insert into tasker.transitions (at, task_id, from_state, to_state, cause)
    values (v_at, p_task, v_task.state, verdict,
      case verdict when 'complete' then 'completed' else 'blocked' end::tasker.cause);
  end if;
  settled := concat_ws(' ', v_step.state, tasker.micros(v_step.ready_at));
end
$$;

-- Records how a few attempts ended, one by one. The tasks are locked.
create or replace function tasker.settle_few(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  out settled text, out verdicts text, out made_ready bigint)
language plpgsql volatile as $$
declare
  v_one record;
  v_settled text[];
  v_verdicts text[];
begin
  made_ready := 0;
  for i in 1 .. cardinality(p_tasks) loop
    v_one := tasker.settle_one(p_now, p_tasks[i], p_ordinals[i], p_attempts[i], p_workers[i], p_verdicts[i],
      p_times[i], p_delays[i], p_payloads[i]);
    if v_one.settled is not null then
      v_settled := v_settled || concat_ws(' ', i, v_one.settled);
      made_ready := made_ready + v_one.made_ready;
    end if;
    if v_one.verdict is not null then
      v_verdicts := v_verdicts || concat_ws(' ', p_tasks[i], v_one.verdict);
    end if;
  end loop;
  settled := array_to_string(v_settled, ',');
  verdicts := array_to_string(v_verdicts, ',');
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
