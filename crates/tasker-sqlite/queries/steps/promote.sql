-- Lets go on what waited for a step: $1 its key, $2 now. Changes: the steps that depend on it. Index: steps and
-- tasks by key, edges by parent. Answers: for each, whether it may go on by that, and whether its task is paused.
update steps set
  unmet = unmet - 1,
  ready_at = case when unmet = 1 and state = 'pending' then $2 else ready_at end
where key in (
  select t.key << 20 | e.child
  from tasks as t
  cross join plans as p on p.id = t.plan_id
  cross join edges as e on e.template_id = p.template_id and e.parent = $1 & 1048575
  where t.key = $1 >> 20)
returning unmet = 0 and state = 'pending' as opens, held;
