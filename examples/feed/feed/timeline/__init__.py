"""The feed page: a user's stories, ranked, kept in the worker's cache, and shown with rows."""
