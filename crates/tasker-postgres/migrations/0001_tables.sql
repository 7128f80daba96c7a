-- The tables, with the invariants of the model repeated as constraints.
--
-- Ids of steps are not stored: a step is its task's id and its ordinal. What belongs to a template (the
-- edges) is stored once per template, and what follows from template and priority (the lane of each step)
-- once per plan, so that a submission writes one row per task and one per step, and nothing else.
--
-- The server reads the text of a table's constraints anew for every statement that changes it. What concerns
-- one column is therefore said by a domain, which it remembers, and the rest is said as briefly as it can be.

-- In this order: below error it goes on by itself, from complete on it has ended.
create type tasker.state as enum
  ('pending', 'in_progress', 'error', 'complete', 'cancelled', 'resolved_manually');

create type tasker.cause as enum
  ('submitted', 'claimed', 'started', 'completed', 'failed', 'lease_expired', 'snoozed', 'retry_due',
   'retry_requested', 'blocked', 'cancelled', 'task_cancelled', 'resolved', 'task_resolved');

create domain tasker.count as integer constraint count check (value >= 0);
create domain tasker.attempt as integer constraint attempt check (value > 0);
create domain tasker.u32 as bigint constraint u32 check (value between 0 and 4294967295);
create domain tasker.identity_hash as text constraint identity_hash check (char_length(value) <= 128);

create table tasker.namespaces (
  name text primary key,
  paused_at timestamptz,
  paused_by text,
  paused_reason text,
  constraint namespaces_pause check (
    (paused_at is null) = (paused_by is null) and (paused_reason is null or paused_at is not null))
);

create table tasker.templates (
  id bigint generated always as identity primary key,
  namespace text not null references tasker.namespaces (name),
  name text not null,
  version text not null,
  digest bytea not null constraint templates_digest check (octet_length(digest) = 32),
  definition json not null,
  current boolean not null,
  created_at timestamptz not null,
  unique (namespace, name, version, digest)
);

-- At most one content of a version is the one for new tasks.
create unique index templates_current on tasker.templates (namespace, name, version) where current;

-- The order in which steps run. An edge is needed where the child gets the parent's results; the others only
-- keep the steps of a template that is not concurrent in a row.
create table tasker.edges (
  template_id bigint not null references tasker.templates (id),
  parent tasker.count not null,
  child tasker.count not null constraint edges_child check (child <> parent),
  needed boolean not null,
  primary key (template_id, parent, child)
);

-- The child leads, so that nothing but a search by child can use it.
create unique index edges_by_child on tasker.edges (child, template_id, parent) where needed;

-- What is claimed together, in the order it became ready.
create table tasker.lanes (
  id bigint generated always as identity primary key,
  namespace text not null references tasker.namespaces (name),
  queue text not null,
  handler text not null,
  priority integer not null,
  unique (handler, queue, namespace, priority)
);

create table tasker.plans (
  id bigint generated always as identity primary key,
  template_id bigint not null references tasker.templates (id),
  priority integer not null,
  steps tasker.count not null,
  roots tasker.count not null constraint plans_roots check (roots <= steps),
  unique (template_id, priority)
);

create table tasker.plan_steps (
  plan_id bigint not null references tasker.plans (id),
  ordinal tasker.count not null,
  lane_id bigint not null references tasker.lanes (id),
  parents tasker.count not null,
  retry_limit tasker.u32 not null,
  primary key (plan_id, ordinal)
);

-- The columns that change stand together and before the wide ones: the log then holds little more than
-- them for each update. There is no foreign key to plans: every submission would lock the plan's row, and
-- plans are never deleted.
create table tasker.tasks (
  id uuid primary key,
  plan_id bigint not null,
  unfinished tasker.count not null,
  active tasker.count not null,
  state tasker.state not null,
  started_at timestamptz,
  ended_at timestamptz,
  paused_at timestamptz,
  requested_at timestamptz not null,
  paused_by text,
  paused_reason text,
  identity_hash tasker.identity_hash,
  identity_since timestamptz,
  initiator text not null,
  source_system text not null,
  reason text not null,
  tags text[] not null,
  bypass_steps text[] not null,
  context json not null,
  constraint tasks_counts check (active <= unfinished),
  constraint tasks_active check (active = 0 or state < 'error'),
  constraint tasks_unfinished check (unfinished = 0 or state < 'complete'),
  constraint tasks_started check (started_at is not null or state <> 'in_progress'),
  constraint tasks_ended check ((ended_at is null) = (state < 'error')),
  constraint tasks_paused check ((paused_at is null) = (paused_by is null)),
  constraint tasks_identity_since check ((identity_hash is null) = (identity_since is null))
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- Lists of tasks by state; complete ones are most of all tasks, and are found by the primary key.
create index tasks_by_state on tasker.tasks (state, id) where state <> 'complete';
-- What is to be pruned.
create index tasks_ended on tasker.tasks (state, ended_at) where ended_at is not null;
create index tasks_identity on tasker.tasks (identity_hash, identity_since desc, id desc)
  where identity_hash is not null;
-- Tasks without tags cost nothing here.
create index tasks_tags on tasker.tasks using gin (tags) where tags <> '{}';

-- A step answers by itself whether it may be claimed: when ready_at has come and it is not held.
create table tasker.steps (
  task_id uuid not null references tasker.tasks (id),
  ordinal tasker.count not null,
  lane_id bigint not null,
  ready_at timestamptz,
  lease_until timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  worker_id uuid,
  retry_limit tasker.u32 not null,
  attempts tasker.count not null,
  parents tasker.count not null,
  unmet tasker.count not null,
  state tasker.state not null,
  held boolean not null,
  inputs json,
  results json,
  failure json,
  primary key (task_id, ordinal),
  constraint steps_unmet check (unmet <= parents),
  constraint steps_ready check (ready_at is null or state in ('pending', 'error')),
  constraint steps_pending check (state <> 'pending' or (ready_at is null) = (unmet > 0)),
  constraint steps_leased check ((lease_until is not null) = (state = 'in_progress')),
  constraint steps_worker check ((lease_until is null) = (worker_id is null)),
  constraint steps_ended check (ended_at is not null or state < 'error')
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- The claim reads this index from its beginning: only what may be claimed stands in it.
create index steps_claimable on tasker.steps (lane_id, ready_at, task_id, ordinal)
  where ready_at is not null and not held;
create index steps_by_lease on tasker.steps (lease_until) where lease_until is not null;

-- What happened, append-only. There is no foreign key to tasks: a row is written in the transaction that
-- changes its task under lock, and pruning removes both.
create table tasker.transitions (
  seq bigint generated always as identity primary key,
  at timestamptz not null,
  task_id uuid not null,
  ordinal tasker.count,
  attempt tasker.attempt,
  from_state tasker.state,
  to_state tasker.state not null,
  cause tasker.cause not null,
  by text,
  details json
);

create index transitions_by_task on tasker.transitions (task_id, seq);

create table tasker.workers (
  id uuid primary key,
  name text not null,
  queues text[] not null,
  handlers text[] not null,
  concurrency tasker.u32 not null,
  started_at timestamptz not null,
  seen_at timestamptz not null,
  draining boolean not null
);

-- Who is to be forgotten.
create index workers_seen on tasker.workers (seen_at);
