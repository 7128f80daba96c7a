-- Inserts one row: $1 now. Changes: adds it. Index: none.
insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at)
values (1, 1, 1, 'pending', 'in_progress', 'claimed', $1);
