-- Gives space back to the disk: the pages that pruning left empty, at most 2,000 at a time.
-- Changes: no row. Index: none.
pragma incremental_vacuum(2000);
