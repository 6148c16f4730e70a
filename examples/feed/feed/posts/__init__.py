"""Posts, their authors, and the topics that users follow: the part of the site in the database."""
