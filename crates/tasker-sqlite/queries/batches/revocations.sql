-- Says how often leases were taken away. Changes: nothing. Index: the primary key.
select count from revocations where id = 1;
