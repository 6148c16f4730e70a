"""A news feed: the Django site that Cowherd's demo, tests and benchmarks serve.

It stands for a large site whose memory is mostly data that is loaded at import (`feed.site_data`)
and read by every request. Each worker also has its own cache (`feed.timeline.cache`).
"""
