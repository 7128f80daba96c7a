-- Ends the pause of a task: $1 its key. Changes: the task and each of its steps. Index: tasks by
-- key, a range of steps by key. Answers: how many steps can be claimed by it.
update tasks set paused_at = null, paused_by = null, paused_reason = null where key = $1;

select count(*) as opened from steps
where key between $1 << 20 and ($1 << 20 | 1048575) and held = 1 and ready_at is not null;

update steps set held = 0 where key between $1 << 20 and ($1 << 20 | 1048575);
