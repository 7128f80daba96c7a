-- The last number given to a transition, committed or not; 0 before the first. And where that is beyond what
-- is trusted: a transaction id greater than that of everyone who was given such a number. The snapshot's xmax
-- would not do: it is one past the last transaction that ended, and others may be running beyond it.
-- Locks: nothing.
-- Uses: no index.
select m.last, case when m.last > $1::bigint then pg_current_xact_id()::text::bigint end as bound
from (
  select case when is_called then last_value else last_value - 1 end as last
  from tasker.transitions_seq_seq offset 0
) m
