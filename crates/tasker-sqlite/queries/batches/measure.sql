-- Says how far the log goes, in frames, and how far it has been copied into the database. Changes: nothing.
-- Index: none.
pragma main.wal_checkpoint(noop);
