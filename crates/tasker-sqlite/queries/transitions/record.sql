-- Records a change of a task's state: $1 its key, $2 now, $3 from, $4 to, $5 cause, $6 who, $7 details.
-- Changes: adds one row. Index: none.
insert into transitions (task_key, at, from_state, to_state, cause, by, details)
values ($1, $2, $3, $4, $5, $6, $7);
