-- Prepares a template for tasks of one priority, or finds the plan.
-- Locks: one number for all plans (advisory).
-- Uses: plans by template and priority, lanes by handler, queue, namespace and priority.
select tasker.make_plan(
  $1::bigint, $2::integer, $3::text[], $4::text[], $5::integer[], $6::integer[], $7::bigint[]) as id
