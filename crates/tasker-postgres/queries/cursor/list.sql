-- The places in the feed.
-- Locks: nothing.
-- Uses: nothing; there are few.
select name, position, holder, tasker.micros(held_until) as held_until, tasker.micros(moved_at) as moved_at
from tasker.cursors order by name collate "C"
