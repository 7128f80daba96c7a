-- Makes leases hold for longer.
--
-- renewals: [[task id, ordinal, attempt, worker, lease until], ...].
--
-- Changes: the steps that their workers still hold. Index: tasks by id, steps by key.
-- Leaves what came of it in renewed. Called by `queries/batches/renew.sql`.

create temp view renew (renewals) as select null;

create temp trigger renew_leases instead of insert on renew begin

delete from renewed;

insert into renewed
with asked (n, id, ordinal, attempt, worker_id, lease_until) as materialized (
  select key, unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4 from jsonb_each(new.renewals))
select a.n, s.key, a.lease_until
from asked as a
cross join tasks as t on t.id = a.id
cross join steps as s on s.key = (t.key << 20 | a.ordinal)
where s.state = 'in_progress' and s.attempts = a.attempt and s.worker_id = a.worker_id;

update steps set lease_until = kept.lease_until
from (select key, lease_until, max(n) from renewed group by key) as kept
where steps.key = +kept.key;

end;
