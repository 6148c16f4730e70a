"""Posts, their authors and who follows what: the part of the site that lives in the database."""
