-- Changes what describes a task: $1 its key, $2 a new reason if any, $3 new tags if any. Changes: that task.
-- Index: tasks by key.
update tasks set reason = coalesce($2, reason), tags = coalesce($3, tags) where key = $1;
