"""What the site loads at import and every worker reads: flags, ranking tables, localized strings.

A real site reads these from files that a deployment brings. Here they are made by arithmetic, the
same in every process and every run. Each table is laid out as a loader would make it, part after
part, so what is used together lies together: the flags in use first, each locale's common messages
first, the newest posts of each ranking first.
"""
