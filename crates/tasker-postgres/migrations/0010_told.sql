-- What is told of a task: what it belongs to, since when its steps were ready, when it began, what its attempts logged,
-- and how far those have come who follow the feed.

alter table tasker.tasks add column correlation_id text, add column traceparent text;

-- Lines that an attempt logged together, as JSON: [[time, text], ...]. They go with their task.
create table tasker.attempt_logs (
  seq bigint generated always as identity primary key,
  task_id uuid not null,
  ordinal tasker.count not null,
  attempt tasker.attempt not null,
  lines json not null
);

create index attempt_logs_by_task on tasker.attempt_logs (task_id, ordinal, attempt, seq);

-- Places in the feed. Who held one last stays named after the time has run out.
create table tasker.cursors (
  name text primary key,
  position bigint not null,
  holder uuid,
  held_until timestamptz,
  moved_at timestamptz not null,
  constraint cursors_held check ((holder is null) = (held_until is null))
);

-- Makes tasks as before, with what they belong to.
create or replace function tasker.submit(
  p_now bigint, p_submissions integer[], p_ids uuid[], p_plans bigint[], p_requested_at bigint[],
  p_hashes text[], p_windows bigint[], p_refuse boolean[],
  p_initiators text[], p_sources text[], p_reasons text[], p_tags text[], p_bypass text[], p_contexts text[],
  p_correlations text[], p_traceparents text[])
returns table (kind text, place integer, other uuid)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_now bigint;
  v_at timestamptz;
  v_kinds text[];
  v_others uuid[];
  v_ready integer;
begin
  -- A bounded number of locks, in order; two identities on one lock merely wait for each other.
  perform pg_advisory_xact_lock(1952543602, key)
  from (select distinct hashtext(h) & 1023 as key from unnest(p_hashes) h where h is not null) k
  order by key;
  v_now := tasker.present(p_now);
  v_at := tasker.at(v_now);
  if exists (select from unnest(p_hashes) h where h is not null)
    or exists (select from tasker.tasks where id = any (p_ids))
    or (select count(distinct i) from unnest(p_ids) i) < cardinality(p_ids)
    or exists (select from unnest(p_plans) n where not exists (select from tasker.plans where id = n))
  then
    select s.kinds, s.others into v_kinds, v_others
    from tasker.screen(v_now, p_submissions, p_ids, p_plans, p_hashes, p_windows, p_refuse) s;
    return query select k, n::integer, o from unnest(v_kinds, v_others) with ordinality u (k, o, n)
      where k is not null order by n;
  end if;
  insert into tasker.tasks
    (id, plan_id, unfinished, active, state, requested_at, identity_hash, identity_since, initiator,
     source_system, reason, tags, bypass_steps, context, correlation_id,
     traceparent)
  select n.id, n.plan, p.steps, p.roots, 'pending', tasker.at(n.requested_at), n.hash,
    case when n.hash is not null then v_at end, n.initiator, n.source, n.reason, n.tags::text[], n.bypass::text[],
    n.context::json, n.correlation, n.traceparent
  from unnest(p_ids, p_plans, p_requested_at, p_hashes, p_initiators, p_sources, p_reasons, p_tags, p_bypass,
      p_contexts, p_correlations, p_traceparents, v_kinds)
    as n (id, plan, requested_at, hash, initiator, source, reason, tags, bypass, context, correlation, traceparent, kind)
  join tasker.plans p on p.id = n.plan
  where n.kind is null
  order by n.id;
  insert into tasker.steps
    (task_id, ordinal, lane_id, ready_at, retry_limit, attempts, parents, unmet, state, held)
  select n.id, s.ordinal, s.lane_id, case when s.parents = 0 then v_at end, s.retry_limit, 0, s.parents, s.parents,
    'pending', false
  from unnest(p_ids, p_plans, v_kinds) as n (id, plan, kind)
  join tasker.plan_steps s on s.plan_id = n.plan
  where n.kind is null;
  insert into tasker.transitions (at, task_id, to_state, cause)
  select v_at, n.id, 'pending', 'submitted'
  from unnest(p_ids, v_kinds) with ordinality as n (id, kind, place)
  where n.kind is null
  order by n.place;
  select sum(p.roots) into v_ready
  from unnest(p_plans, v_kinds) as n (plan, kind) join tasker.plans p on p.id = n.plan
  where n.kind is null;
  return query select 'made_ready', coalesce(v_ready, 0), null::uuid;
end
$$;

drop function tasker.inputs(uuid[], integer[]);

-- What the handlers of these steps get to work with, as before, with what their tasks belong to.
create or replace function tasker.inputs(p_tasks uuid[], p_ordinals integer[])
returns table (place bigint, dependency integer, content json, correlation_id text, traceparent text)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
begin
  return query
  select a.place, null::integer, coalesce(s.inputs, t.context), t.correlation_id, t.traceparent
  from unnest(p_tasks, p_ordinals) with ordinality as a (task_id, ordinal, place)
  join tasker.tasks t on t.id = a.task_id
  join tasker.steps s on s.task_id = a.task_id and s.ordinal = a.ordinal;
  return query
  select a.place, e.parent::integer, s.results, null::text, null::text
  from unnest(p_tasks, p_ordinals) with ordinality as a (task_id, ordinal, place)
  join tasker.tasks t on t.id = a.task_id
  join tasker.plans p on p.id = t.plan_id
  cross join lateral (
    select parent from tasker.edges where child = a.ordinal and template_id = p.template_id and needed offset 0
  ) e
  join tasker.steps s on s.task_id = a.task_id and s.ordinal = e.parent
  order by a.place, e.parent;
end
$$;

-- Removes tasks as before, with what their attempts logged.
create or replace function tasker.prune(p_now bigint, p_ended bigint, p_failed bigint, p_limit bigint)
returns table (tasks bigint, more boolean)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_now bigint := tasker.present(p_now);
  v_limit integer := least(p_limit, 100000);
  v_old uuid[];
begin
  v_old := array(
    select o.id
    from unnest(
      array['complete', 'cancelled', 'resolved_manually', 'error']::tasker.state[],
      array[p_ended, p_ended, p_ended, p_failed]) as k (state, keep)
    cross join lateral (
      select t.id, t.ended_at from tasker.tasks t
      -- A duration beyond any calendar keeps everything.
      where t.state = k.state and t.ended_at <= case when k.keep <= v_now then tasker.at(v_now - k.keep) end
      order by t.ended_at limit v_limit + 1
      for update skip locked
    ) o
    order by o.ended_at, o.id limit v_limit + 1);
  more := cardinality(v_old) > v_limit;
  v_old := v_old[:v_limit];
  delete from tasker.transitions where task_id = any (v_old);
  delete from tasker.attempt_logs where task_id = any (v_old);
  delete from tasker.steps where task_id = any (v_old);
  delete from tasker.tasks where id = any (v_old);
  tasks := cardinality(v_old);
  return next;
end
$$;

alter type tasker.chosen add attribute ready_at timestamptz;
alter type tasker.leased add attribute ready_at timestamptz;

-- Moves tasks that are pending to in_progress, records it, and tells which. Tasks that another
-- transaction holds are left alone: nobody waits here, and the first settlement of such a task does it instead.
create or replace function tasker.begin(p_now bigint, p_tasks uuid[]) returns uuid[]
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_begun uuid[];
begin
  if p_tasks = '{}' then
    return '{}';
  end if;
  with due as (
    -- Written so that no index on the state can be used: the tasks are to be found by their ids.
    select id from tasker.tasks where id = any (p_tasks) and (state = 'pending') is true
    order by id for no key update skip locked
  ), started as (
    update tasker.tasks t set state = 'in_progress', started_at = coalesce(t.started_at, v_at)
    from due where t.id = due.id
    returning t.id
  ), told as (
    insert into tasker.transitions (at, task_id, from_state, to_state, cause)
    select v_at, id, 'pending', 'in_progress', 'started' from started order by id
    returning task_id
  )
  select coalesce(array_agg(task_id), '{}') into v_begun from told;
  return v_begun;
end
$$;

-- Leases a few chosen steps, one by one. They are locked. Answers as claim does.
create or replace function tasker.lease_few(
  p_now bigint, p_until timestamptz, p_worker uuid, p_chosen tasker.chosen[])
returns text
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_chosen tasker.chosen;
  v_step record;
  v_begun boolean;
  v_leases text[];
begin
  foreach v_chosen in array p_chosen loop
    update tasker.steps s set state = 'in_progress', attempts = s.attempts + 1, ready_at = null,
      worker_id = p_worker, lease_until = p_until, started_at = v_at, ended_at = null
    from tasker.tasks t
    where s.task_id = v_chosen.task_id and s.ordinal = v_chosen.ordinal and t.id = s.task_id
    returning s.attempts, s.retry_limit, t.plan_id, t.state into v_step;
    v_begun := v_step.state = 'pending' and cardinality(tasker.begin(p_now, array[v_chosen.task_id])) > 0;
    if v_chosen.retried then
      insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause)
      values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'error', 'pending', 'retry_due');
    end if;
    insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
    values (v_at, v_chosen.task_id, v_chosen.ordinal, v_step.attempts, 'pending', 'in_progress', 'claimed',
      p_worker);
    v_leases := v_leases || concat_ws(' ', v_chosen.task_id, v_chosen.ordinal, v_step.attempts, v_step.retry_limit,
      v_step.plan_id, v_chosen.opened::integer, tasker.micros(v_chosen.ready_at), v_begun::integer);
  end loop;
  return array_to_string(v_leases, ',');
end
$$;

-- Leases many chosen steps. They are locked. Answers as claim does.
create or replace function tasker.lease_many(
  p_now bigint, p_until timestamptz, p_worker uuid, p_chosen tasker.chosen[])
returns text
language plpgsql volatile as $$
declare
  v_at timestamptz := tasker.at(p_now);
  v_leased tasker.leased[];
  v_begun uuid[];
  v_all boolean;
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
      t.state = 'pending', c.opened, c.ready_at)::tasker.leased as lease
  )
  select array_agg(lease) into v_leased from leased;
  v_begun := tasker.begin(p_now, array(select l.task_id from unnest(v_leased) l where l.waits_for_start));
  -- As good as always none of them was locked, and there is nothing to be looked for.
  v_all := cardinality(v_begun) = (select count(distinct l.task_id) from unnest(v_leased) l where l.waits_for_start);
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
  select string_agg(concat_ws(' ', l.task_id, l.ordinal, l.attempt, l.retry_limit, l.plan_id, l.opened::integer,
      tasker.micros(l.ready_at), (l.waits_for_start and (v_all or l.task_id = any (v_begun)))::integer), ','
    order by l.place)
  into v_leases from unnest(v_leased) l;
  return v_leases;
end
$$;

-- Chooses and locks steps of one task as before.
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
    select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened, s.ready_at)::tasker.chosen
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
      select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened,
        s.ready_at
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
    select row(row_number() over (), s.task_id, s.ordinal, s.retried, s.opened, s.ready_at)::tasker.chosen
    from (
      select s.task_id, s.ordinal, s.state = 'error' as retried, s.xmin = pg_current_xact_id()::xid as opened,
        s.ready_at
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

-- Takes leases as before. Answers one row, or none: the leases as
-- "task ordinal attempt retry_limit plan opened ready_at begun", with commas between them. Of the leases on steps of a
-- task that has begun with them each says so, or the first alone.
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
  return next;
end
$$;

drop function tasker.settle_one(bigint, uuid, integer, bigint, uuid, text, bigint, bigint, text);

-- Records how one attempt ended, and locks its task if that has not been done; begun says whether its task had not
-- been recorded as begun.
create or replace function tasker.settle_one(
  p_now bigint, p_task uuid, p_ordinal integer, p_attempt bigint, p_worker uuid, p_verdict text, p_time bigint,
  p_delay bigint, p_payload text,
  out settled text, out verdict tasker.state, out made_ready bigint, out begun boolean)
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
    begun := cardinality(tasker.begin(v_now, array[p_task])) > 0;
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

-- Records how a few attempts ended, one by one. A task that begins by it is told among the verdicts, as in_progress.
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
    if v_one.begun then
      v_verdicts := v_verdicts || concat_ws(' ', p_tasks[i], 'in_progress');
    end if;
    if v_one.verdict is not null then
      v_verdicts := v_verdicts || concat_ws(' ', p_tasks[i], v_one.verdict);
    end if;
  end loop;
  settled := array_to_string(v_settled, ',');
  verdicts := array_to_string(v_verdicts, ',');
end
$$;

-- Records how many attempts ended. A task that begins by it is told among the verdicts, as in_progress.
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
  if exists (select from unnest(v_judged) j where j.started) then
    verdicts := concat_ws(',', verdicts,
      (select string_agg(concat_ws(' ', j.task_id, 'in_progress'), ',') from unnest(v_judged) j where j.started));
  end if;
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
