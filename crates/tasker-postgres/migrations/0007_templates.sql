-- Storing templates and preparing plans.

-- Stores a template with its edges, or finds it. Null if its key is taken by another content that may not be
-- replaced. One transaction at a time per key.
create or replace function tasker.put_template(
  p_now bigint, p_namespace text, p_name text, p_version text, p_digest text, p_definition text,
  p_replace boolean, p_parents integer[], p_children integer[], p_needed boolean[])
returns bigint
language plpgsql volatile as $$
declare
  v_digest bytea := decode(p_digest, 'hex');
  v_current tasker.templates;
  v_id bigint;
begin
  perform pg_advisory_xact_lock(1952543603, hashtext(p_namespace || ' ' || p_name || '@' || p_version));
  select * into v_current from tasker.templates t
  where t.namespace = p_namespace and t.name = p_name and t.version = p_version and t.current;
  if v_current.digest = v_digest then
    return v_current.id;
  elsif v_current.id is not null and not p_replace then
    return null;
  end if;
  update tasker.templates set current = false where id = v_current.id;
  update tasker.templates t set current = true
  where t.namespace = p_namespace and t.name = p_name and t.version = p_version and t.digest = v_digest
  returning t.id into v_id;
  if v_id is not null then
    return v_id;
  end if;
  insert into tasker.namespaces (name) values (p_namespace) on conflict do nothing;
  insert into tasker.templates (namespace, name, version, digest, definition, current, created_at)
  values (p_namespace, p_name, p_version, v_digest, p_definition::json, true, tasker.at(tasker.present(p_now)))
  returning id into v_id;
  insert into tasker.edges (template_id, parent, child, needed)
  select v_id, e.parent, e.child, e.needed
  from unnest(p_parents, p_children, p_needed) as e (parent, child, needed);
  return v_id;
end
$$;

-- Prepares a template for tasks of one priority, or finds the plan: one array element per step, by ordinal.
-- Lanes are numbered in the order in which steps first need them, without gaps: one transaction at a time.
create or replace function tasker.make_plan(
  p_template bigint, p_priority integer, p_queues text[], p_handlers text[], p_priorities integer[],
  p_parents integer[], p_retry_limits bigint[])
returns bigint
language plpgsql volatile as $$
declare
  v_namespace text := (select t.namespace from tasker.templates t where t.id = p_template);
  v_id bigint;
begin
  perform pg_advisory_xact_lock(1952543604, 0);
  select p.id into v_id from tasker.plans p where p.template_id = p_template and p.priority = p_priority;
  if v_id is not null then
    return v_id;
  end if;
  insert into tasker.lanes (namespace, queue, handler, priority)
  select v_namespace, s.queue, s.handler, s.priority
  from unnest(p_queues, p_handlers, p_priorities) with ordinality as s (queue, handler, priority, place)
  where not exists (
    select from tasker.lanes l where l.namespace = v_namespace and l.queue = s.queue and l.handler = s.handler
      and l.priority = s.priority)
  group by s.queue, s.handler, s.priority
  order by min(s.place);
  insert into tasker.plans (template_id, priority, steps, roots)
  values (p_template, p_priority, cardinality(p_queues), cardinality(array_positions(p_parents, 0)))
  returning id into v_id;
  insert into tasker.plan_steps (plan_id, ordinal, lane_id, parents, retry_limit)
  select v_id, s.place - 1, l.id, s.parents, s.retry_limit
  from unnest(p_queues, p_handlers, p_priorities, p_parents, p_retry_limits) with ordinality
    as s (queue, handler, priority, parents, retry_limit, place)
  join tasker.lanes l on l.namespace = v_namespace and l.queue = s.queue and l.handler = s.handler
    and l.priority = s.priority;
  return v_id;
end
$$;
