-- Settle: how attempts end, what that lets run, and what it means for their tasks.

-- Locks tasks, in the order of their ids: whoever changes the steps or the counts of a task comes by here.
create or replace function tasker.lock_tasks(p_tasks uuid[]) returns void
language plpgsql volatile as $$
begin
  perform from tasker.tasks where id = any (p_tasks) order by id for no key update;
end
$$;

create type tasker.ended as (
  place bigint, task_id uuid, ordinal integer, attempt integer, state tasker.state, ready_at timestamptz,
  held boolean, cause tasker.cause, failure json);

create type tasker.promoted as (task_id uuid, held boolean);

create type tasker.change as (task_id uuid, unfinished integer, active integer);

create type tasker.judged as (task_id uuid, was tasker.state, becomes tasker.state, started boolean);

-- Steps were satisfied: each that depends on them has one unmet dependency less. Answers those that became
-- ready. The tasks are locked.
create or replace function tasker.promote(p_now timestamptz, p_tasks uuid[], p_ordinals integer[])
returns tasker.promoted[]
language plpgsql volatile as $$
declare
  v_promoted tasker.promoted[];
begin
  with promoted as (
    update tasker.steps c set
      unmet = c.unmet - n.met,
      ready_at = case when c.unmet = n.met and c.state = 'pending' then p_now else c.ready_at end
    from (
      select d.task_id, e.child, count(*)::integer as met
      from unnest(p_tasks, p_ordinals) as d (task_id, ordinal)
      join tasker.tasks t on t.id = d.task_id
      join tasker.plans p on p.id = t.plan_id
      -- An optimization fence: the index is to be searched by both columns, however small the table was.
      cross join lateral (
        select child from tasker.edges where template_id = p.template_id and parent = d.ordinal offset 0
      ) e
      group by d.task_id, e.child
    ) n
    where c.task_id = n.task_id and c.ordinal = n.child
    returning c.task_id, c.held, c.unmet, c.state
  )
  select array_agg(row(task_id, held)::tasker.promoted) into v_promoted
  from promoted where unmet = 0 and state = 'pending';
  return v_promoted;
end
$$;

-- Adds to the counts of tasks and gives each the state that its counts call for. p_started says that a task
-- which is pending has been started. The tasks are locked; a task may occur several times.
create or replace function tasker.judge(p_now timestamptz, p_changes tasker.change[], p_started boolean)
returns tasker.judged[]
language plpgsql volatile as $$
declare
  v_judged tasker.judged[];
begin
  with judged as (
    update tasker.tasks t set
      unfinished = r.unfinished,
      active = r.active,
      state = r.becomes,
      started_at = case when r.started or r.becomes = 'complete' then coalesce(t.started_at, p_now)
        else t.started_at end,
      ended_at = case when r.becomes = r.was then t.ended_at
        when r.becomes in ('complete', 'error') then p_now end
    from (
      select c.*, case
          when c.was in ('complete', 'cancelled', 'resolved_manually') then c.was
          when c.unfinished = 0 then 'complete'
          when c.active = 0 then 'error'
          when c.was = 'error' then 'pending'
          when c.started then 'in_progress'
          else c.was
        end as becomes
      from (
        select b.id, b.state as was, b.unfinished + d.unfinished as unfinished, b.active + d.active as active,
          p_started and b.state = 'pending' as started
        from (
          select e.task_id, sum(e.unfinished)::integer as unfinished, sum(e.active)::integer as active
          from unnest(p_changes) e group by e.task_id
        ) d
        join tasker.tasks b on b.id = d.task_id
        offset 0
      ) c
      offset 0
    ) r
    where t.id = r.id
    returning row(t.id, r.was, r.becomes, r.started)::tasker.judged as judged
  )
  select array_agg(judged) into v_judged from judged;
  return v_judged;
end
$$;

-- Records how the states of tasks changed: every transition that leads from the one to the other.
create or replace function tasker.tell(p_now timestamptz, p_by text, p_judged tasker.judged[]) returns void
language plpgsql volatile as $$
begin
  insert into tasker.transitions (at, task_id, from_state, to_state, cause, by)
  select p_now, j.task_id, m.from_state, m.to_state, m.cause, p_by
  from (
    select task_id, case when started then 'in_progress' else was end as was, becomes from unnest(p_judged)
  ) j
  cross join lateral (
    select 1 as part, 'error'::tasker.state as from_state, 'pending'::tasker.state as to_state,
      'retry_requested'::tasker.cause as cause
    where j.was = 'error'
    union all
    select 2, 'pending', 'in_progress', 'started' where j.was in ('error', 'pending') and j.becomes = 'complete'
    union all
    select 3, 'in_progress', 'complete', 'completed' where j.becomes = 'complete'
    union all
    select 4, j.was, 'error', 'blocked' where j.becomes = 'error'
  ) m
  where j.becomes <> j.was
  order by j.task_id, m.part;
end
$$;

-- Records how one attempt ended. The task is locked.
create or replace function tasker.settle_one(
  p_now bigint, p_task uuid, p_ordinal integer, p_attempt bigint, p_worker uuid, p_verdict text, p_time bigint,
  p_delay bigint, p_payload text,
  out settled text, out verdict tasker.state, out made_ready bigint)
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_task record;
  v_step record;
  v_child record;
begin
  update tasker.steps s set
    state = case p_verdict when 'complete' then 'complete' when 'snooze' then 'pending' else 'error' end::tasker.state,
    ready_at = case when p_verdict = 'snooze' or (p_verdict = 'retry' and s.attempts < s.retry_limit)
      then tasker.at(coalesce(p_time, tasker.later(p_now, p_delay))) end,
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
  select t.plan_id, t.state, t.unfinished, t.active into v_task from tasker.tasks t where t.id = p_task;
  if v_task.state = 'pending' then
    -- The claim found the task locked, and left it to whoever settles first.
    perform tasker.start(p_now, array[p_task]);
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
    select * into v_one from tasker.settle_one(p_now, p_tasks[i], p_ordinals[i], p_attempts[i], p_workers[i],
      p_verdicts[i], p_times[i], p_delays[i], p_payloads[i]);
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

-- Records how many attempts ended. The tasks are locked.
create or replace function tasker.settle_many(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  out settled text, out verdicts text, out made_ready bigint)
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_ended tasker.ended[];
  v_promoted tasker.promoted[];
  v_judged tasker.judged[];
begin
  with ended as (
    update tasker.steps s set
      state = case a.verdict when 'complete' then 'complete' when 'snooze' then 'pending' else 'error' end
        ::tasker.state,
      ready_at = case when a.verdict = 'snooze' or (a.verdict = 'retry' and s.attempts < s.retry_limit)
        then tasker.at(coalesce(a.time, tasker.later(p_now, a.delay))) end,
      lease_until = null,
      worker_id = null,
      ended_at = v_at,
      retry_limit = case a.verdict when 'snooze' then least(s.retry_limit + 1, 4294967295) else s.retry_limit end,
      results = case a.verdict when 'complete' then coalesce(a.payload, 'null')::json else s.results end,
      failure = case a.verdict when 'complete' then null when 'snooze' then s.failure else a.payload::json end
    from unnest(p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays, p_payloads)
      with ordinality as a (task_id, ordinal, attempt, worker, verdict, time, delay, payload, place)
    where s.task_id = a.task_id and s.ordinal = a.ordinal
      and s.state = 'in_progress' and s.attempts = a.attempt
      and case when a.worker is null then s.lease_until <= v_at else s.worker_id = a.worker end
    returning row(a.place, s.task_id, s.ordinal, s.attempts, s.state, s.ready_at, s.held,
      case when a.worker is null then 'lease_expired' when a.verdict = 'complete' then 'completed'
        when a.verdict = 'snooze' then 'snoozed' else 'failed' end,
      case when a.verdict in ('retry', 'fail') then a.payload::json end)::tasker.ended as step
  )
  select array_agg(step) into v_ended from ended;
  if v_ended is null then
    return;
  end if;
  v_promoted := (
    select tasker.promote(v_at, array_agg(e.task_id), array_agg(e.ordinal))
    from unnest(v_ended) e where e.state = 'complete');
  v_judged := tasker.judge(v_at, array(
    select row(e.task_id, case when e.state = 'complete' then -1 else 0 end,
      case when e.ready_at is null then -1 else 0 end)::tasker.change
    from unnest(v_ended) e
    union all
    select row(p.task_id, 0, 1)::tasker.change from unnest(v_promoted) p), true);
  select string_agg(concat_ws(' ', j.task_id, j.becomes), ',' order by j.task_id)
    filter (where j.becomes <> j.was and j.becomes in ('complete', 'error'))
  into verdicts from unnest(v_judged) j;
  -- Tasks that a claim found locked, and left to whoever settles first.
  insert into tasker.transitions (at, task_id, from_state, to_state, cause)
  select v_at, j.task_id, 'pending', 'in_progress', 'started'
  from unnest(v_judged) j where j.started order by j.task_id;
  insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, details)
  select v_at, e.task_id, e.ordinal, e.attempt, 'in_progress', e.state, e.cause, e.failure
  from unnest(v_ended) e order by e.place;
  perform tasker.tell(v_at, null, v_judged);
  select string_agg(concat_ws(' ', e.place, e.state, tasker.micros(e.ready_at)), ','),
    count(*) filter (where e.ready_at is not null and not e.held)
      + (select count(*) from unnest(v_promoted) p where not p.held)
  into settled, made_ready from unnest(v_ended) e;
end
$$;

-- Records how attempts ended. Answers one row: for each settlement that counts "place state ready_at", from 1
-- and without the last where there is none; "task state" for each task that ended or was blocked; with commas
-- between them, and null for none; and how many steps may have become claimable.
create or replace function tasker.settle(
  p_now bigint, p_tasks uuid[], p_ordinals integer[], p_attempts bigint[], p_workers uuid[], p_verdicts text[],
  p_times bigint[], p_delays bigint[], p_payloads text[],
  out settled text, out verdicts text, out made_ready bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_now bigint;
begin
  perform from tasker.tasks where id = any (p_tasks) order by id for no key update;
  v_now := tasker.present(p_now);
  if cardinality(p_tasks) <= tasker.few() then
    select f.settled, f.verdicts, f.made_ready into settled, verdicts, made_ready
    from tasker.settle_few(v_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays,
      p_payloads) f;
  else
    select m.settled, m.verdicts, m.made_ready into settled, verdicts, made_ready
    from tasker.settle_many(v_now, p_tasks, p_ordinals, p_attempts, p_workers, p_verdicts, p_times, p_delays,
      p_payloads) m;
  end if;
end
$$;
