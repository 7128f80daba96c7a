-- Finds a task to change: $1 its id. Changes: nothing. Index: tasks by id.
select key, state, unfinished, active, paused_at is not null as is_paused from tasks where id = $1;
