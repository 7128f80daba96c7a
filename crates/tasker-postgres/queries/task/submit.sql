-- Makes tasks with their steps, each submission as a whole or not at all.
-- Locks: identities (advisory, by number), then inserts the tasks by id; waits only for those.
-- Uses: tasks_pkey, tasks_identity, plans_pkey, plan_steps_pkey.
select kind, place, other from tasker.submit(
  $1::bigint, $2::integer[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::boolean[],
  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
  $15::text[], $16::text[])
