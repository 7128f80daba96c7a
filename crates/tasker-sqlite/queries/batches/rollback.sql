-- Takes a batch back. Changes: nothing that is stored. Index: none.
rollback;
