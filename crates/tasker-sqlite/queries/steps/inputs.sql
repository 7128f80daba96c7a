-- Reads what handlers get to work with: $1 steps: [[task id, ordinal], ...]. Changes: nothing.
-- Index: tasks by id, steps by key, edges_by_child.
-- Answers, for each in the order given: its context, then what each step it depends on produced.
with asked (n, id, ordinal) as materialized (
  select key, unhex(value ->> 0), value ->> 1 from jsonb_each($1)),
found (n, key, template_id, context, correlation_id, traceparent) as materialized (
  select a.n, s.key, p.template_id, coalesce(s.inputs, t.context), t.correlation_id, t.traceparent
  from asked as a
  cross join tasks as t on t.id = a.id
  cross join plans as p on p.id = t.plan_id
  cross join steps as s on s.key = (t.key << 20 | a.ordinal))
select n as place, null as parent, context as document, correlation_id, traceparent from found
union all
select f.n, e.parent, s.results, null, null
from found as f
cross join edges as e on e.template_id = f.template_id and e.child = f.key & 1048575 and e.needs_results = 1
cross join steps as s on s.key = (f.key - (f.key & 1048575) + e.parent)
order by 1, 2;
