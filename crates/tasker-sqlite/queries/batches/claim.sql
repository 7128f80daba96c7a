-- Calls `queries/steps/claim.sql`: $1 now, $5 queues, $6 handlers, $7 turn, $8 capacity, $9 worker, $10 the same as
-- text, $11 lease until, $12 task. Changes: what that does. Index: none further.
-- Answers `leased`, as JSON: [[place, task id, ordinal, attempt, plan, retry limit, opened, ready at,
-- started], ...], where opened says whether the latest settle made the step ready, be that of this batch or not.
insert into claim values ($1, $5, $6, $7, $8, $9, $10, $11, $12);

select json_group_array(json_array(n, hex(task_id), key & 1048575, attempt, plan_id, retry_limit,
  case when attempt = 1 then exists (select 1 from temp.promoted as p where p.key = c.key)
    else c.key in (select key from temp.settled) end, c.ready_at, c.task_state = 'pending')) as leased
from temp.claimed as c;
