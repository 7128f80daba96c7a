-- Makes the tables that a batch is worked out in: they live in the memory of the writing connection.
-- Changes: nothing that is stored. Index: none.
create temp table submitted (n integer primary key, id blob, plan_id integer, identity_hash text, since integer) strict;
create temp table settled (
  n integer primary key, key integer, task_key integer, task_id blob, template_id integer, ordinal integer,
  attempt integer, unfinished integer, active integer, held integer, snoozed integer,
  state text, ready_at integer, cause text, results text, failure text) strict;
create temp table promoted (key integer primary key, met integer, opens integer, held integer) strict;
create temp table judged (
  task_key integer primary key, task_id blob, unfinished integer, active integer, verdict text) strict;
create temp table renewed (n integer primary key, key integer, lease_until integer) strict;
create temp table turns (rank integer primary key, lane_id integer) strict;
-- What happens to a step that is claimed: one whose retry is due goes through both.
create temp table moves (rank integer primary key, from_state text, to_state text, cause text) strict;
insert into moves values (1, 'error', 'pending', 'retry_due'), (2, 'pending', 'in_progress', 'claimed');
create temp table claimed (
  n integer primary key, key integer, task_key integer, task_id blob, task_state text, plan_id integer,
  is_retry integer, attempt integer, retry_limit integer, ready_at integer) strict;
-- The task, if any, that a claim has to go through step by step.
create temp table searched (task_id blob) strict;
create temp table pruned (rank integer primary key, key integer) strict;
