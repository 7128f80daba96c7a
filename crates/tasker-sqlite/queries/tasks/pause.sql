-- Pauses a task: $1 its key, $2 now, $3 who, $4 why. Changes: the task and each of its steps.
-- Index: tasks by key, a range of steps by key.
update tasks set paused_at = $2, paused_by = $3, paused_reason = $4 where key = $1;

update steps set held = 1 where key between $1 << 20 and ($1 << 20 | 1048575);
