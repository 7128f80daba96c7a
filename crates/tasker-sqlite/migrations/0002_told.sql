-- What is told of a task: what it belongs to, what its attempts logged, and how far those have come who follow the feed.

alter table tasks add column correlation_id text;
alter table tasks add column traceparent text;

-- Lines that an attempt logged together, as JSON: [[time, text], ...]. They go with their task.
create table attempt_logs (
  seq integer primary key,
  task_key integer not null,
  ordinal integer not null constraint attempt_logs_ordinal check (ordinal >= 0),
  attempt integer not null constraint attempt_logs_attempt check (attempt > 0),
  lines text not null constraint attempt_logs_lines check (json_valid(lines))
) strict;

create index attempt_logs_by_task on attempt_logs (task_key, ordinal, attempt);

-- Places in the feed. Who held one last stays named after the time has run out.
create table cursors (
  name text not null primary key,
  position integer not null,
  holder blob constraint cursors_holder check (length(holder) = 16),
  held_until integer,
  moved_at integer not null,
  constraint cursors_held check ((holder is null) = (held_until is null))
) strict, without rowid;
