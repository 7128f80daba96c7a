-- Has the statements after it in its message go by an index, whatever the statistics say of the tables: a queue has
-- grown or shrunk long before they tell, and what is read to the limit of its index would be read in full.
-- Locks: nothing.
-- Uses: no index.
select set_config(setting, 'off', true) as setting from unnest(array['enable_seqscan', 'enable_bitmapscan', 'jit']) setting
