-- Answers with a number that differs from the one before if another process has written. Changes: nothing.
-- Index: none.
pragma data_version;
