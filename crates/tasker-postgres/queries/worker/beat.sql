-- Says that a worker is there, and forgets some that were not seen for long.
-- Locks: its row; those of the others, skipping what is held.
-- Uses: workers_pkey, workers_seen.
select tasker.beat(
  $1::bigint, $2::uuid, $3::text, $4::text[], $5::text[], $6::bigint, $7::bigint, $8::boolean, $9::bigint, $10::bigint)
