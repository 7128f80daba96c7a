-- Cancels each step of a task that has not ended: $1 the task's key, $2 now, $3 cause, $4 who, $5 details.
-- Changes: those steps; adds transitions by ordinal. Index: a range of steps by key. Answers: how many steps.
insert into transitions (task_key, ordinal, from_state, to_state, cause, at, by, details)
select key >> 20, ordinal, state, 'cancelled', $3, $2, $4, $5 from steps
where key between $1 << 20 and ($1 << 20 | 1048575) and state in ('pending', 'in_progress', 'error')
order by key;

update steps set state = 'cancelled', ready_at = null, worker_id = null, lease_until = null, ended_at = $2
where key between $1 << 20 and ($1 << 20 | 1048575) and state in ('pending', 'in_progress', 'error');

select changes() as steps;
