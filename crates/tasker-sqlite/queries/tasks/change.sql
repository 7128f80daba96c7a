-- Gives a task a state and counts: $1 its key, $2 state, $3 unfinished, $4 active, $5 when it began if it does
-- so now, $6 when it ended if it does so now. Changes: that task. Index: tasks by key.
update tasks set
  state = $2,
  unfinished = $3,
  active = $4,
  started_at = coalesce(started_at, $5),
  ended_at = case when $2 in ('pending', 'in_progress') then null else coalesce($6, ended_at) end
where key = $1;
