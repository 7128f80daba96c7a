-- Claims and settles steps: $1 their keys, $2 the keys of the steps after them, $3 now, $4 the worker, $5 the last
-- ordinal. Changes: the steps, those after them and their tasks; adds transitions. Index: steps and tasks by key.
begin immediate;
update tasks set state = 'in_progress', started_at = $3
  where key in (select value >> 20 from json_each($1) where value & 1048575 = 0);
insert into transitions (task_key, from_state, to_state, cause, at)
select value >> 20, 'pending', 'in_progress', 'started', $3 from json_each($1) where value & 1048575 = 0;
insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at, by)
select value >> 20, value & 1048575, 1, 'pending', 'in_progress', 'claimed', $3, $4 from json_each($1);
update steps set state = 'in_progress', attempts = 1, ready_at = null, worker_id = x'00112233445566778899aabbccddeeff',
  lease_until = $3, started_at = $3 where key in (select value from json_each($1));
update steps set state = 'complete', worker_id = null, lease_until = null, ended_at = $3, results = '{"ok":true}'
  where key in (select value from json_each($1));
insert into transitions (task_key, ordinal, attempt, from_state, to_state, cause, at)
select value >> 20, value & 1048575, 1, 'in_progress', 'complete', 'completed', $3 from json_each($1);
update steps set unmet = 0, ready_at = $3 where key in (select value from json_each($2));
update tasks set unfinished = unfinished - 1 where key in (select value >> 20 from json_each($1));
update tasks set state = 'complete', ended_at = $3
  where key in (select value >> 20 from json_each($1) where value & 1048575 = $5);
insert into transitions (task_key, from_state, to_state, cause, at)
select value >> 20, 'in_progress', 'complete', 'completed', $3 from json_each($1) where value & 1048575 = $5;
commit;
