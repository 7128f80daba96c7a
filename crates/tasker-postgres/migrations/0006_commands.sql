-- Commands: what people and programs may ask of tasks that exist. They are rare: each function says plainly
-- what it does. A refusal is an answer, not an error, so that it does not disturb what is committed with it.
-- Every one locks its task first; a batch has locked all its tasks before, in order.

-- What became of a command. A refusal is no_task, no_step, illegal_task, illegal_step (state is then the one
-- that forbids it), nothing or already.
create type tasker.answer as (refusal text, state tasker.state, steps integer, made_ready bigint);

create or replace function tasker.is_ended(p_state tasker.state) returns boolean
language sql immutable parallel safe as $$
  select p_state in ('complete', 'cancelled', 'resolved_manually')
$$;

create or replace function tasker.details(p_reason text) returns json
language sql stable parallel safe as $$
  select case when p_reason is not null then json_build_object('reason', p_reason) end
$$;

create or replace function tasker.lock_task(p_task uuid) returns tasker.tasks
language sql volatile as $$
  select * from tasker.tasks where id = p_task for no key update
$$;

create or replace function tasker.lock_step(p_task uuid, p_ordinal integer) returns tasker.steps
language sql volatile as $$
  select * from tasker.steps where task_id = p_task and ordinal = p_ordinal for no key update
$$;

-- Locks the rows of namespaces in the order of their names, so that batches of commands do not wait for
-- each other in a circle.
create or replace function tasker.lock_namespaces(p_names text[]) returns void
language plpgsql volatile as $$
begin
  insert into tasker.namespaces (name) select n from unnest(p_names) n order by n on conflict do nothing;
  perform from tasker.namespaces where name = any (p_names) order by name for no key update;
end
$$;

-- The last word of every command about steps: judges the task, records what follows, and answers with its
-- state.
create or replace function tasker.judged(
  p_now bigint, p_by text, p_change tasker.change, p_steps integer, p_made_ready bigint)
returns tasker.answer
language plpgsql volatile as $$
declare
  v_judged tasker.judged[] := tasker.judge(tasker.at(p_now), array[p_change], false);
begin
  perform tasker.tell(tasker.at(p_now), p_by, v_judged);
  return row(null, v_judged[1].becomes, p_steps, p_made_ready)::tasker.answer;
end
$$;

-- Ends every step of a task that has not ended, and then the task.
create or replace function tasker.end_task(
  p_now bigint, p_task tasker.tasks, p_state tasker.state, p_cause tasker.cause, p_step_cause tasker.cause,
  p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_steps integer;
begin
  perform from tasker.steps where task_id = p_task.id and not tasker.is_ended(state)
  order by ordinal for no key update;
  insert into tasker.transitions (at, task_id, ordinal, from_state, to_state, cause, by, details)
  select v_at, s.task_id, s.ordinal, s.state, 'cancelled', p_step_cause, p_by, tasker.details(p_reason)
  from tasker.steps s where s.task_id = p_task.id and not tasker.is_ended(s.state)
  order by s.ordinal;
  update tasker.steps set state = 'cancelled', ready_at = null, lease_until = null, worker_id = null, ended_at = v_at
  where task_id = p_task.id and not tasker.is_ended(state);
  get diagnostics v_steps = row_count;
  update tasker.tasks set state = p_state, unfinished = 0, active = 0, ended_at = v_at where id = p_task.id;
  insert into tasker.transitions (at, task_id, from_state, to_state, cause, by, details)
  values (v_at, p_task.id, p_task.state, p_state, p_cause, p_by, tasker.details(p_reason));
  return row(null, p_state, v_steps, 0)::tasker.answer;
end
$$;

-- Ends one step by command. Answers by how much the task's active count changes.
create or replace function tasker.end_step(
  p_now bigint, p_step tasker.steps, p_state tasker.state, p_cause tasker.cause, p_by text, p_reason text)
returns integer
language plpgsql volatile as $$
begin
  insert into tasker.transitions (at, task_id, ordinal, from_state, to_state, cause, by, details)
  values (tasker.at(p_now), p_step.task_id, p_step.ordinal, p_step.state, p_state, p_cause, p_by,
    tasker.details(p_reason));
  update tasker.steps set state = p_state, ready_at = null, lease_until = null, worker_id = null,
    ended_at = tasker.at(p_now)
  where task_id = p_step.task_id and ordinal = p_step.ordinal;
  return case when p_step.state = 'in_progress' or p_step.ready_at is not null then -1 else 0 end;
end
$$;

create or replace function tasker.cancel_task(p_now bigint, p_task uuid, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
begin
  if v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  elsif v_task.state = 'cancelled' then
    return row('illegal_task', v_task.state, 0, 0)::tasker.answer;
  end if;
  return tasker.end_task(tasker.present(p_now), v_task, 'cancelled', 'cancelled', 'task_cancelled', p_by, p_reason);
end
$$;

create or replace function tasker.resolve_task(p_now bigint, p_task uuid, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
begin
  if v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  elsif v_task.state <> 'error' then
    return row('illegal_task', v_task.state, 0, 0)::tasker.answer;
  end if;
  return tasker.end_task(tasker.present(p_now), v_task, 'resolved_manually', 'resolved', 'task_resolved', p_by,
    p_reason);
end
$$;

create or replace function tasker.cancel_step(
  p_now bigint, p_task uuid, p_ordinal integer, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
  v_step tasker.steps := tasker.lock_step(p_task, p_ordinal);
  v_now bigint := tasker.present(p_now);
begin
  if v_step.task_id is null then
    return row('no_step', null, 0, 0)::tasker.answer;
  elsif tasker.is_ended(v_step.state) then
    return row('illegal_step', v_step.state, 0, 0)::tasker.answer;
  end if;
  return tasker.judged(v_now, p_by,
    row(p_task, -1, tasker.end_step(v_now, v_step, 'cancelled', 'cancelled', p_by, p_reason))::tasker.change, 1, 0);
end
$$;

create or replace function tasker.resolve_step(
  p_now bigint, p_task uuid, p_ordinal integer, p_results text, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
  v_step tasker.steps := tasker.lock_step(p_task, p_ordinal);
  v_now bigint := tasker.present(p_now);
  v_active integer;
  v_ready bigint;
  v_claimable bigint;
begin
  if v_step.task_id is null then
    return row('no_step', null, 0, 0)::tasker.answer;
  elsif v_step.state not in ('pending', 'error') then
    return row('illegal_step', v_step.state, 0, 0)::tasker.answer;
  end if;
  v_active := tasker.end_step(v_now, v_step, 'resolved_manually', 'resolved', p_by, p_reason);
  update tasker.steps set results = p_results::json
  where task_id = p_task and ordinal = p_ordinal and p_results is not null;
  select count(*), count(*) filter (where not p.held) into v_ready, v_claimable
  from unnest(tasker.promote(tasker.at(v_now), array[p_task], array[p_ordinal])) p;
  return tasker.judged(v_now, p_by, row(p_task, -1, v_active + v_ready)::tasker.change, 1, v_claimable);
end
$$;

-- Gives failed steps another attempt: one, or all of a task where p_ordinal is null. p_more null counts the
-- attempts of the template anew.
create or replace function tasker.retry(
  p_now bigint, p_task uuid, p_ordinal integer, p_more bigint, p_by text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
  v_step tasker.steps;
  v_now bigint := tasker.present(p_now);
  v_at timestamptz := tasker.at(v_now);
  v_steps integer;
  v_active integer;
  v_claimable integer;
begin
  if p_ordinal is not null then
    v_step := tasker.lock_step(p_task, p_ordinal);
    if v_step.task_id is null then
      return row('no_step', null, 0, 0)::tasker.answer;
    elsif v_step.state <> 'error' then
      return row('illegal_step', v_step.state, 0, 0)::tasker.answer;
    end if;
  elsif v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  elsif tasker.is_ended(v_task.state) then
    return row('illegal_task', v_task.state, 0, 0)::tasker.answer;
  end if;
  with failed as (
    select s.ordinal, s.ready_at, s.held from tasker.steps s
    where s.task_id = p_task and s.state = 'error' and (p_ordinal is null or s.ordinal = p_ordinal)
    order by s.ordinal for no key update
  ), retried as (
    update tasker.steps s set state = 'pending', ready_at = v_at,
      retry_limit = least(4294967295, case
        when p_more is null then s.attempts + p.retry_limit
        else greatest(s.retry_limit, s.attempts + greatest(p_more, 1)) end)
    from failed f
    join tasker.plan_steps p on p.plan_id = v_task.plan_id and p.ordinal = f.ordinal
    where s.task_id = p_task and s.ordinal = f.ordinal
    returning s.ordinal, s.held, f.ready_at as before
  ), told as (
    insert into tasker.transitions (at, task_id, ordinal, from_state, to_state, cause, by)
    select v_at, p_task, r.ordinal, 'error', 'pending', 'retry_requested', p_by
    from retried r order by r.ordinal
  )
  select count(*), count(*) filter (where before is null),
    count(*) filter (where not held and (before is null or v_at < before))
  into v_steps, v_active, v_claimable from retried;
  if v_steps = 0 then
    return row('nothing', null, 0, 0)::tasker.answer;
  end if;
  return tasker.judged(v_now, p_by, row(p_task, 0, v_active)::tasker.change, v_steps, v_claimable);
end
$$;

-- A step is held as long as its task is paused, whatever its state.
create or replace function tasker.pause(p_now bigint, p_task uuid, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
begin
  if v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  elsif tasker.is_ended(v_task.state) then
    return row('illegal_task', v_task.state, 0, 0)::tasker.answer;
  elsif v_task.paused_at is not null then
    return row('already', v_task.state, 0, 0)::tasker.answer;
  end if;
  update tasker.tasks set paused_at = tasker.at(tasker.present(p_now)), paused_by = p_by, paused_reason = p_reason
  where id = p_task;
  update tasker.steps set held = true where task_id = p_task;
  return row(null, v_task.state, v_task.unfinished, 0)::tasker.answer;
end
$$;

create or replace function tasker.resume(p_task uuid) returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
  v_claimable integer;
begin
  if v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  elsif v_task.paused_at is null then
    return row('already', v_task.state, 0, 0)::tasker.answer;
  end if;
  update tasker.tasks set paused_at = null, paused_by = null, paused_reason = null where id = p_task;
  with freed as (
    update tasker.steps set held = false where task_id = p_task returning ready_at
  )
  select count(ready_at) into v_claimable from freed;
  return row(null, v_task.state, v_task.unfinished, v_claimable)::tasker.answer;
end
$$;

create or replace function tasker.pause_namespace(p_now bigint, p_name text, p_by text, p_reason text)
returns tasker.answer
language plpgsql volatile as $$
begin
  insert into tasker.namespaces as n (name, paused_at, paused_by, paused_reason)
  values (p_name, tasker.at(tasker.present(p_now)), p_by, p_reason)
  on conflict (name) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
    paused_reason = excluded.paused_reason
  where n.paused_at is null;
  return row(case when not found then 'already' end, null, 0, 0)::tasker.answer;
end
$$;

create or replace function tasker.resume_namespace(p_name text) returns tasker.answer
language plpgsql volatile as $$
begin
  update tasker.namespaces set paused_at = null, paused_by = null, paused_reason = null
  where name = p_name and paused_at is not null;
  return row(case when not found then 'already' end, null, 0, case when found then 1 else 0 end)::tasker.answer;
end
$$;

create or replace function tasker.update_step(
  p_task uuid, p_ordinal integer, p_inputs text, p_retry_limit bigint)
returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
  v_step tasker.steps := tasker.lock_step(p_task, p_ordinal);
begin
  if v_step.task_id is null then
    return row('no_step', null, 0, 0)::tasker.answer;
  elsif tasker.is_ended(v_step.state) then
    return row('illegal_step', v_step.state, 0, 0)::tasker.answer;
  end if;
  update tasker.steps set inputs = coalesce(p_inputs::json, inputs), retry_limit = coalesce(p_retry_limit, retry_limit)
  where task_id = p_task and ordinal = p_ordinal;
  return row(null, v_task.state, 1, 0)::tasker.answer;
end
$$;

create or replace function tasker.update_task(p_task uuid, p_reason text, p_tags text[]) returns tasker.answer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task);
begin
  if v_task.id is null then
    return row('no_task', null, 0, 0)::tasker.answer;
  end if;
  update tasker.tasks set reason = coalesce(p_reason, reason), tags = coalesce(p_tags, tags) where id = p_task;
  return row(null, v_task.state, 0, 0)::tasker.answer;
end
$$;
