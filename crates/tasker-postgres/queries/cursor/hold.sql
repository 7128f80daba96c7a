-- Takes a place in the feed, or makes it. One row if it was taken.
-- Locks: the place; waits for whoever changes it.
-- Uses: cursors_pkey.
insert into tasker.cursors as c (name, position, holder, held_until, moved_at)
select $2::text, $5::bigint, $3::uuid, tasker.at(tasker.later(n.now, $4::bigint)), tasker.at(n.now)
from (select tasker.present($1::bigint) as now) n
on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
where c.holder is null or c.holder = excluded.holder or c.held_until <= excluded.moved_at
returning c.position, tasker.micros(c.held_until) as until
