-- What the handlers of steps get to work with: the contexts, then the results of the steps they depend on.
-- Locks: nothing.
-- Uses: tasks_pkey, steps_pkey, edges_by_child.
select place, dependency, content, correlation_id, traceparent from tasker.inputs($1::uuid[], $2::integer[])
