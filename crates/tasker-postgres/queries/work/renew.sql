-- Makes leases hold from now on; one row per lease, in order.
-- Locks: the steps; never waits.
-- Uses: steps_pkey.
select until from tasker.renew($1::bigint, $2::uuid, $3::uuid[], $4::integer[], $5::bigint[], $6::bigint)
