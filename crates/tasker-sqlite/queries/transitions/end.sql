-- Says how far the feed goes. Changes: nothing. Index: none; sqlite_sequence has one row.
select coalesce(max(seq), 0) as seq from sqlite_sequence where name = 'transitions';
