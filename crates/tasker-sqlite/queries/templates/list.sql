-- Lists the keys of all current templates. Changes: nothing. Index: templates_current, all of it.
select namespace, name, version from templates where current = 1;
