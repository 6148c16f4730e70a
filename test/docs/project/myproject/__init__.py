"""A project as Django lays it out."""
