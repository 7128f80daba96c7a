-- Records how attempts ended, and takes leases on steps that are ready then. One row, whose one column holds all
-- columns of both, with bars between them.
-- Locks: as work/settle, then as work/claim.
-- Uses: what work/settle and work/claim use.
select tasker.settle_and_claim(
  $1::bigint, $2::uuid[], $3::integer[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[],
  $9::text[], $10::uuid, $11::text[], $12::text[], $13::integer, $14::bigint, $15::bigint, $16::uuid) as packed
