-- Changes a step that has not ended: $1 its key, $2 new inputs if any, $3 a new retry limit if any.
-- Changes: that step. Index: steps by key.
update steps set inputs = coalesce($2, inputs), retry_limit = coalesce($3, retry_limit) where key = $1;
