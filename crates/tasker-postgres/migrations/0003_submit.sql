-- Making tasks.
--
-- These functions, as all that follow, fix how their statements are planned: by indexes, once per session.
-- A plan made while a table was small would otherwise be kept when it has grown.

-- Decides, in order, what cannot simply be made. For each task p_kinds says null (it is to be made),
-- existing, unknown_plan, id_taken, duplicate, or withdrawn (another of its submission was refused).
-- The identities are locked.
create or replace function tasker.screen(
  p_now bigint, p_submissions integer[], p_ids uuid[], p_plans bigint[], p_hashes text[], p_windows bigint[],
  p_refuse boolean[],
  out kinds text[], out others uuid[])
language plpgsql volatile as $$
declare
  v_known bigint[] := array(select id from tasker.plans where id = any (p_plans));
  v_taken uuid[] := array(select id from tasker.tasks where id = any (p_ids));
  v_refused integer[] := '{}';
  v_kind text;
  v_other uuid;
begin
  kinds := array_fill(null::text, array[cardinality(p_ids)]);
  others := array_fill(null::uuid, array[cardinality(p_ids)]);
  for i in 1 .. cardinality(p_ids) loop
    if p_submissions[i] = any (v_refused) then
      kinds[i] := 'withdrawn';
      continue;
    end if;
    v_kind := null;
    v_other := null;
    if p_plans[i] <> all (v_known) then
      v_kind := 'unknown_plan';
    elsif p_ids[i] = any (v_taken) then
      v_kind := 'id_taken';
    elsif p_hashes[i] is not null then
      v_other := (
        select e.id from (
          select t.id, tasker.micros(t.identity_since) as since from tasker.tasks t
          where t.identity_hash = p_hashes[i]
          union all
          select p_ids[j], p_now
          from unnest(array_positions(p_hashes, p_hashes[i])) j
          where j < i and kinds[j] is null
        ) e
        where p_windows[i] is null or tasker.later(e.since, p_windows[i]) > p_now
        order by e.since desc, e.id desc limit 1);
      if v_other is not null then
        v_kind := case when p_refuse[i] then 'duplicate' else 'existing' end;
      end if;
    end if;
    kinds[i] := v_kind;
    others[i] := v_other;
    if v_kind is null then
      v_taken := v_taken || p_ids[i];
    elsif v_kind <> 'existing' then
      v_refused := v_refused || p_submissions[i];
      for j in 1 .. i - 1 loop
        if p_submissions[j] = p_submissions[i] then
          if kinds[j] is null then
            v_taken := array_remove(v_taken, p_ids[j]);
          end if;
          kinds[j] := 'withdrawn';
        end if;
      end loop;
    end if;
  end loop;
end
$$;

-- Makes tasks with their steps; each submission as a whole or not at all. Answers one row for each task that
-- was not made, and one of kind made_ready whose place is the number of steps that may be claimed.
create or replace function tasker.submit(
  p_now bigint, p_submissions integer[], p_ids uuid[], p_plans bigint[], p_requested_at bigint[],
  p_hashes text[], p_windows bigint[], p_refuse boolean[],
  p_initiators text[], p_sources text[], p_reasons text[], p_tags text[], p_bypass text[], p_contexts text[])
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
     source_system, reason, tags, bypass_steps, context)
  select n.id, n.plan, p.steps, p.roots, 'pending', tasker.at(n.requested_at), n.hash,
    case when n.hash is not null then v_at end, n.initiator, n.source, n.reason, n.tags::text[], n.bypass::text[],
    n.context::json
  from unnest(p_ids, p_plans, p_requested_at, p_hashes, p_initiators, p_sources, p_reasons, p_tags, p_bypass,
      p_contexts, v_kinds)
    as n (id, plan, requested_at, hash, initiator, source, reason, tags, bypass, context, kind)
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
