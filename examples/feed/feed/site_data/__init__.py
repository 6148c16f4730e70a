"""Data loaded at import and read by every worker: flags, ranking tables, localized strings.

A real site reads these from files of its deployment. Here they are computed, the same in every
process and every run. Each table is laid out as a loader would make it, part after part, so that
data used together is adjacent: the flags in use come first, the common messages of each locale, and
the newest posts of each ranking.
"""
