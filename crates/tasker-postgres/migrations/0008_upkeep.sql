-- What handlers read on the way, and what the agents do.

-- What the handlers of these steps get to work with: for each step that exists its place from 1, with the
-- context or the step's own inputs, and one row more for each step it depends on, with what that produced.
create or replace function tasker.inputs(p_tasks uuid[], p_ordinals integer[])
returns table (place bigint, dependency integer, content json)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
begin
  return query
  select a.place, null::integer, coalesce(s.inputs, t.context)
  from unnest(p_tasks, p_ordinals) with ordinality as a (task_id, ordinal, place)
  join tasker.tasks t on t.id = a.task_id
  join tasker.steps s on s.task_id = a.task_id and s.ordinal = a.ordinal;
  return query
  select a.place, e.parent::integer, s.results
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

-- Removes tasks that ended so long ago, with steps and transitions, the oldest first; never more at a time than
-- one transaction can bear. Tasks that another transaction holds are left for another time.
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
  delete from tasker.steps where task_id = any (v_old);
  delete from tasker.tasks where id = any (v_old);
  tasks := cardinality(v_old);
  return next;
end
$$;

-- Says that a worker is there, and forgets those that were not seen for so long, at most p_limit. Those whom another
-- transaction holds are left for another time.
create or replace function tasker.beat(
  p_now bigint, p_id uuid, p_name text, p_queues text[], p_handlers text[], p_concurrency bigint, p_started bigint,
  p_draining boolean, p_keep bigint, p_limit bigint)
returns void
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
  v_now bigint := tasker.present(p_now);
begin
  insert into tasker.workers (id, name, queues, handlers, concurrency, started_at, seen_at, draining)
  values (p_id, p_name, p_queues, p_handlers, p_concurrency, tasker.at(p_started), tasker.at(v_now), p_draining)
  on conflict (id) do update set name = excluded.name, queues = excluded.queues, handlers = excluded.handlers,
    concurrency = excluded.concurrency, started_at = excluded.started_at, seen_at = excluded.seen_at,
    draining = excluded.draining;
  delete from tasker.workers where id = any (array(
    select w.id from tasker.workers w where w.seen_at <= tasker.at(v_now - p_keep)
    order by w.seen_at limit p_limit for update skip locked));
end
$$;
