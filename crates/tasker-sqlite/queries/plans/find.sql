-- Finds a plan: $1 template, $2 priority. Changes: nothing. Index: the unique one.
select id from plans where template_id = $1 and priority = $2;
