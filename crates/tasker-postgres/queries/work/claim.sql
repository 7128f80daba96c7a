-- Takes leases on steps that are ready. One row with all leases, or none.
-- Locks: the steps, and their tasks where they are still pending; never waits.
-- Uses: lanes by handler and queue, steps_claimable, steps_pkey, tasks_pkey.
select leases, claimed_at, until from tasker.claim(
  $1::bigint, $2::uuid, $3::text[], $4::text[], $5::integer, $6::bigint, $7::bigint, $8::uuid)
