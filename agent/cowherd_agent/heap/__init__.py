"""Preparation of a mold's heap before it forks, so that its workers keep sharing it."""
