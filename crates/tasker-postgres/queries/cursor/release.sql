-- Gives up a place in the feed, if it is the holder's.
-- Locks: the place; waits for whoever changes it.
-- Uses: cursors_pkey.
update tasker.cursors set holder = null, held_until = null where name = $1::text and holder = $2::uuid
