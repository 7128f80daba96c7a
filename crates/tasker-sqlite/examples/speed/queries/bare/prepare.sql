-- Makes tables with the columns and indexes of the store's, and no constraint. Changes: the schema. Index: none.
create table tasks (
  key integer primary key, id blob unique, plan_id integer, unfinished integer, active integer, state text,
  started_at integer, ended_at integer, requested_at integer, initiator text, source_system text, reason text,
  tags text, bypass_steps text, context text);
create index tasks_open on tasks (id) where ended_at is null;
create index tasks_ended on tasks (ended_at) where state in ('complete', 'cancelled', 'resolved_manually');
create table steps (
  key integer primary key, task_id blob, lane_id integer, parents integer, unmet integer, attempts integer,
  retry_limit integer, held integer, state text, ready_at integer, worker_id blob, lease_until integer,
  started_at integer, ended_at integer, inputs text, results text, failure text);
create index steps_ready on steps (lane_id, ready_at, task_id) where ready_at is not null and held = 0;
create index steps_leased on steps (lease_until) where lease_until is not null;
create table transitions (
  seq integer primary key autoincrement, task_key integer, ordinal integer, attempt integer, from_state text,
  to_state text, cause text, at integer, by text, details text);
create index transitions_by_task on transitions (task_key);
