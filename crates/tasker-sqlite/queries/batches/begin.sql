-- Begins to write, and waits for other processes that do. Changes: nothing. Index: none.
begin immediate;
