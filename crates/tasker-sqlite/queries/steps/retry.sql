-- Gives failed steps another attempt: $1 the key of their task, $2 now, $3 the ordinal of one, or null for all,
-- $4 how many more attempts, or null for as many as the template gives, $5 who.
-- Changes: those steps; adds transitions by ordinal. Index: a range of steps by key, plan_steps by plan.
-- Answers: how many steps, how many could not go on before, how many can be claimed by it.
select
  count(*) as steps,
  coalesce(sum(ready_at is null), 0) as idle,
  coalesce(sum(held = 0 and (ready_at is null or ready_at > $2)), 0) as opened
from steps
where key between $1 << 20 and ($1 << 20 | 1048575) and state = 'error' and ($3 is null or ordinal = $3);

insert into transitions (task_key, ordinal, from_state, to_state, cause, at, by)
select $1, ordinal, 'error', 'pending', 'retry_requested', $2, $5 from steps
where key between $1 << 20 and ($1 << 20 | 1048575) and state = 'error' and ($3 is null or ordinal = $3)
order by key;

update steps set
  state = 'pending',
  ready_at = $2,
  retry_limit = case
    when $4 is not null then max(retry_limit, min(attempts + max($4, 1), 4294967295))
    else min(4294967295, attempts + (
      select p.retry_limit
      from tasks as t cross join plan_steps as p on p.plan_id = t.plan_id and p.ordinal = steps.ordinal
      where t.key = $1)) end
where key between $1 << 20 and ($1 << 20 | 1048575) and state = 'error' and ($3 is null or ordinal = $3);
