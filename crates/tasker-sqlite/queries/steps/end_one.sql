-- Ends a step by command: $1 its key, $2 now, $3 state, $4 cause, $5 who, $6 details, $7 results if any.
-- Changes: that step; adds a transition. Index: steps by key.
insert into transitions (task_key, ordinal, from_state, to_state, cause, at, by, details)
select key >> 20, ordinal, state, $3, $4, $2, $5, $6 from steps where key = $1;

update steps set
  state = $3, ready_at = null, worker_id = null, lease_until = null, ended_at = $2, results = coalesce($7, results)
where key = $1;
