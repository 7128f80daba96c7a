-- Gives up a place in the feed: $1 name, $2 holder. Changes: that place, if it is the holder's. Index: the primary key.
update cursors set holder = null, held_until = null where name = $1 and holder = $2;
