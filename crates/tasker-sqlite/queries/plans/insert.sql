-- Makes a plan: $1 template, $2 priority, $3 namespace, $4 steps: [[queue, handler, priority, parents, retry
-- limit], ...] by ordinal, $5 how many have no parents. Changes: adds the plan, its steps, and lanes that are
-- not there yet. Index: the unique ones of lanes and plans.
-- Answers: its number.
insert into lanes (namespace, queue, handler, priority)
select $3, value ->> 0, value ->> 1, value ->> 2 from jsonb_each($4) where true order by key
on conflict do nothing;

insert into plans (template_id, priority, steps, roots) values ($1, $2, json_array_length($4), $5);

insert into plan_steps (plan_id, ordinal, lane_id, parents, retry_limit)
select p.id, j.key, l.id, j.value ->> 3, j.value ->> 4
from plans as p
cross join jsonb_each($4) as j
cross join lanes as l on l.handler = j.value ->> 1 and l.queue = j.value ->> 0 and l.namespace = $3
  and l.priority = j.value ->> 2
where p.template_id = $1 and p.priority = $2;

select id from plans where template_id = $1 and priority = $2;
