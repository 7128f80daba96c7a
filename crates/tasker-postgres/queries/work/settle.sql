-- Records how attempts ended, promotes what depended on them, and judges their tasks. One row.
-- Locks: the tasks by id, then their steps, which only a claim or a renewal may hold, and those never wait.
-- Uses: tasks_pkey, steps_pkey, plans_pkey, edges_pkey.
select settled, verdicts, made_ready from tasker.settle(
  $1::bigint, $2::uuid[], $3::integer[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[],
  $9::text[])
