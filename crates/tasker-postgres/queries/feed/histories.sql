-- The transitions of several tasks: for each task one text, in which they stand in order. Of each come seven numbers and
-- words, then how many characters `by` and `details` have (-1: it is null), a space after each of all these, then `by`
-- and `details` themselves. As rows they cost half as much again, here and where they are read.
-- Locks: nothing.
-- Uses: transitions_by_task.
select i.id as task_id, (
  select string_agg(concat_ws(' ', t.seq, coalesce(t.ordinal, -1), coalesce(t.attempt, 0),
    coalesce(t.from_state::text, '-'), t.to_state, t.cause, tasker.micros(t.at), coalesce(char_length(t.by), -1),
    coalesce(char_length(t.details::text), -1), concat(t.by, t.details)), '')
  from (select * from tasker.transitions where task_id = i.id order by seq offset 0) t
) as transitions
from unnest($1::uuid[]) i (id)
