-- The tables, with the invariants of the model repeated as constraints. They are written with CASE, which is
-- several times as fast as IN here: SQLite would build each list anew for each row.
--
-- Times are microseconds since 1970, ids are the sixteen bytes of a UUID, documents are JSON as text.
-- A task has an integer `key` besides its id, and a step's key is its task's key times 2^20 plus its ordinal:
-- everything inside is found by integer, and a task's steps stand side by side. What belongs to a template
-- (the edges) is stored once per template, and what follows from template and priority (the lane of each
-- step) once per plan, so that a submission writes one row per task and one per step, and nothing else.

create table namespaces (
  name text not null primary key,
  paused_at integer,
  paused_by text,
  paused_reason text,
  constraint namespaces_pause check (
    (paused_at is null) = (paused_by is null) and (paused_reason is null or paused_at is not null))
) strict, without rowid;

create table templates (
  id integer primary key,
  namespace text not null references namespaces (name),
  name text not null,
  version text not null,
  digest blob not null constraint templates_digest check (length(digest) = 32),
  definition text not null constraint templates_definition check (json_valid(definition)),
  current integer not null constraint templates_current check (current in (0, 1)),
  created_at integer not null,
  unique (namespace, name, version, digest)
) strict;

-- At most one content of a version is the one for new tasks.
create unique index templates_current on templates (namespace, name, version) where current = 1;

-- Which step waits for which. Where it needs no results of it, the edge only keeps the steps of a template that
-- is not concurrent apart.
create table edges (
  template_id integer not null references templates (id),
  parent integer not null constraint edges_parent check (parent >= 0),
  child integer not null constraint edges_child check (child >= 0 and child <> parent),
  needs_results integer not null constraint edges_needs_results check (needs_results in (0, 1)),
  primary key (template_id, parent, child)
) strict, without rowid;

create index edges_by_child on edges (template_id, child, parent) where needs_results = 1;

-- What is claimed together, in the order it became ready.
create table lanes (
  id integer primary key,
  namespace text not null references namespaces (name),
  queue text not null,
  handler text not null,
  priority integer not null,
  unique (handler, queue, namespace, priority)
) strict;

create table plans (
  id integer primary key,
  template_id integer not null references templates (id),
  priority integer not null,
  steps integer not null constraint plans_steps check (steps between 0 and 1048574),
  roots integer not null constraint plans_roots check (roots between 0 and steps),
  unique (template_id, priority)
) strict;

create table plan_steps (
  plan_id integer not null references plans (id),
  ordinal integer not null constraint plan_steps_ordinal check (ordinal between 0 and 1048573),
  lane_id integer not null references lanes (id),
  parents integer not null constraint plan_steps_parents check (parents >= 0),
  retry_limit integer not null constraint plan_steps_retry_limit check (retry_limit between 1 and 4294967295),
  primary key (plan_id, ordinal)
) strict, without rowid;

create table tasks (
  key integer primary key constraint tasks_key check (key between 1 and 8796093022207),
  id blob not null unique constraint tasks_id check (length(id) = 16),
  plan_id integer not null references plans (id),
  unfinished integer not null,
  active integer not null,
  state text not null,
  started_at integer,
  ended_at integer,
  requested_at integer not null,
  paused_at integer,
  paused_by text,
  paused_reason text,
  identity_hash text constraint tasks_identity check (length(identity_hash) <= 128),
  identity_since integer,
  initiator text not null,
  source_system text not null,
  reason text not null,
  tags text not null,
  bypass_steps text not null,
  context text not null,
  constraint tasks_counts check (active >= 0 and unfinished >= active),
  constraint tasks_state check (case state
    when 'pending' then ended_at is null
    when 'in_progress' then ended_at is null and started_at is not null
    when 'complete' then ended_at is not null and started_at is not null and unfinished = 0
    when 'error' then ended_at is not null and unfinished > 0 and active = 0
    when 'cancelled' then ended_at is not null and unfinished = 0
    when 'resolved_manually' then ended_at is not null and unfinished = 0
    else false end),
  constraint tasks_pause check (
    (paused_at is null) = (paused_by is null) and (paused_reason is null or paused_at is not null)),
  constraint tasks_identity_since check ((identity_hash is null) = (identity_since is null))
) strict;

-- Lists of tasks that have not ended, and of those that did not end well. Complete ones are most of all
-- tasks and are found by their id.
create index tasks_open on tasks (id) where ended_at is null;
create index tasks_unwell on tasks (state, id) where state in ('error', 'cancelled', 'resolved_manually');
-- What is to be pruned.
create index tasks_ended on tasks (ended_at) where state in ('complete', 'cancelled', 'resolved_manually');
create index tasks_failed on tasks (ended_at) where state = 'error';
create index tasks_identity on tasks (identity_hash, identity_since, id) where identity_hash is not null;

-- A step answers by itself whether it may be claimed: when ready_at has come and it is not held. There is
-- no foreign key to tasks: pruning would look for each task's steps twice.
create table steps (
  key integer primary key,
  task_id blob not null constraint steps_task_id check (length(task_id) = 16),
  lane_id integer not null references lanes (id),
  parents integer not null,
  unmet integer not null,
  attempts integer not null,
  retry_limit integer not null,
  held integer not null constraint steps_held check (held in (0, 1)),
  state text not null,
  ready_at integer,
  worker_id blob constraint steps_worker_id check (length(worker_id) = 16),
  lease_until integer,
  started_at integer,
  ended_at integer,
  inputs text,
  results text,
  failure text,
  ordinal integer not null as (key & 1048575) virtual,
  constraint steps_counts check (
    unmet >= 0 and unmet <= parents and attempts >= 0 and retry_limit between 0 and 4294967295),
  constraint steps_lease check (
    (lease_until is null) = (worker_id is null) and (lease_until is null or state = 'in_progress')),
  constraint steps_state check (case state
    when 'pending' then (ready_at is not null) = (unmet = 0)
    when 'in_progress' then ready_at is null and unmet = 0 and started_at is not null and ended_at is null
      and attempts > 0 and lease_until is not null
    when 'complete' then ready_at is null and ended_at is not null and results is not null and failure is null
    when 'error' then unmet = 0 and ended_at is not null
    when 'cancelled' then ready_at is null and ended_at is not null
    when 'resolved_manually' then ready_at is null and ended_at is not null
    else false end)
) strict;

-- The claim reads this index from its beginning: only what may be claimed stands in it.
create index steps_ready on steps (lane_id, ready_at, task_id) where ready_at is not null and held = 0;
create index steps_leased on steps (lease_until) where lease_until is not null;

-- What happened, append-only. Rows go only with their task.
create table transitions (
  seq integer primary key autoincrement,
  task_key integer not null,
  ordinal integer,
  attempt integer,
  from_state text,
  to_state text not null,
  cause text not null,
  at integer not null,
  by text,
  details text,
  constraint transitions_from check (case from_state
    when 'pending' then true when 'in_progress' then true when 'error' then true when 'complete' then true
    when 'cancelled' then true when 'resolved_manually' then true else from_state is null end),
  constraint transitions_to check (case to_state
    when 'in_progress' then true when 'complete' then true when 'pending' then true when 'error' then true
    when 'cancelled' then true when 'resolved_manually' then true else false end),
  constraint transitions_cause check (case cause
    when 'claimed' then true when 'completed' then true when 'started' then true when 'submitted' then true
    when 'failed' then true when 'retry_due' then true when 'snoozed' then true when 'lease_expired' then true
    when 'retry_requested' then true when 'blocked' then true when 'cancelled' then true
    when 'task_cancelled' then true when 'resolved' then true when 'task_resolved' then true else false end),
  constraint transitions_attempt check (attempt is null or (ordinal is not null and attempt > 0))
) strict;

create index transitions_by_task on transitions (task_key);

create trigger transitions_are_final before update on transitions
begin
  select raise(abort, 'transitions are append-only');
end;

create table workers (
  id blob not null primary key constraint workers_id check (length(id) = 16),
  name text not null,
  queues text not null constraint workers_queues check (json_valid(queues)),
  handlers text not null constraint workers_handlers check (json_valid(handlers)),
  concurrency integer not null constraint workers_concurrency check (concurrency between 0 and 4294967295),
  started_at integer not null,
  seen_at integer not null,
  draining integer not null constraint workers_draining check (draining in (0, 1))
) strict, without rowid;

-- Who is to be forgotten.
create index workers_seen on workers (seen_at);

-- How often leases were taken away: other processes look at it to learn whether theirs may be among them.
create table revocations (
  id integer primary key constraint revocations_id check (id = 1),
  count integer not null
) strict;

insert into revocations (id, count) values (1, 0);
