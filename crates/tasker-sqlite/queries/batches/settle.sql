-- Calls `queries/steps/settle.sql`: $1 now, $2 settlements. Changes: what that does. Index: none further.
-- Answers, as JSON, which crosses to the caller much faster than rows: `settled`: [[place, state, ready at], ...] of
-- the settlements that count; `verdicts`: [[task id, state], ...] of the tasks that ended or are blocked; and
-- `opened`: how many steps can be claimed by it.
insert into settle values ($1, $2);

select
  (select json_group_array(json_array(n, state, ready_at)) from temp.settled) as settled,
  (select json_group_array(json_array(hex(task_id), verdict)) from temp.judged where verdict is not null) as verdicts,
  (select count(*) from temp.promoted where opens and not held)
    + (select count(*) from temp.settled where ready_at is not null and not held) as opened;
