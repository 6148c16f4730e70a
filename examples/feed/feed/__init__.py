"""A news feed: the Django site that Cowherd's demo, tests and benchmarks serve.

It stands for a large site whose memory is mostly data loaded at import (`feed.site_data`), read by
every request, and whose workers keep a cache of their own (`feed.timeline.cache`).
"""
