-- Makes a batch durable. Changes: nothing further. Index: none.
commit;
