-- The transitions after a place in the feed, in order. What is not yet to be trusted is cut off by the caller.
-- Locks: nothing.
-- Uses: transitions_pkey.
select t.seq, t.task_id, t.ordinal, t.attempt, t.from_state::text, t.to_state::text, t.cause::text,
  tasker.micros(t.at) as at, t.by, t.details
from tasker.transitions t
where t.seq > $1::bigint
order by t.seq
limit $2::bigint
