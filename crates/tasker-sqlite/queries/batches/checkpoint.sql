-- Copies the log into the database as far as nobody is in the way, and keeps nobody from reading or writing.
-- Changes: nothing that anyone can see. Index: none. Answers as `queries/batches/measure.sql` does.
pragma main.wal_checkpoint(passive);
