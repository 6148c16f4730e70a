/** Made by scripts/tables.ts out of agent/cowherd_agent/own_settings.json. */
export const OWN_SETTINGS_HELP = `  --policy POLICY          heap_policy: auto (default), immortal, freeze, instagram, stock
  --warmup REQUEST         warmup: a request played in the mold, such as "GET /"; repeatable
  --gc-guard MODE          gc_guard: hold (default), report, off
  --collect-after OBJECTS  collect_after: how many young objects trigger a collection after a response
  --allow-threads          allow_threads: threads left running are intended; no warning, no refusal
  --strict                 strict: each finding of the fork safety check is an error, not a warning
  --sampling-budget PERCENT
                           sampling_budget: percent of one core for reading memory (default 1)
  --metrics ADDRESS        metrics: serve metrics for Prometheus at HOST:PORT or unix:PATH (docs/metrics.md)
  --metrics-token-file FILE
                           metrics_token_file: a file of mode 0600 with the token that a scrape must bring
  --health REQUEST         health: a request that must succeed before a new generation gets traffic
  --boot-timeout SECONDS   boot_timeout: how long a worker may take to be ready
  --refork-after REQUESTS  refork_after: refork when a worker has answered this many, such as 50,500,5000
  --refork-by-benefit      refork_by_benefit: refork when it wins a tenth of the memory (docs/refork-rules.md)
  --exit-when-hopeless     exit_when_hopeless: end when all workers die before any was ever ready
  --heal                   heal: have the kernel merge pages that workers copied for nothing (docs/heal.md)
  --perf-names             perf_names: name Python's functions for perf and record (docs/record.md)
  --recycle-private SIZE   recycle_private: replace a worker with more private memory, such as 200M (docs/recycling.md)
  --recycle-pss SIZE       recycle_pss: replace a worker with a larger proportional set size
  --recycle-rss SIZE       recycle_rss: replace a worker with more resident memory
  --recycle-samples COUNT  recycle_samples: how many samples in a row must be over a memory limit
  --recycle-age SECONDS    recycle_age: replace a worker this long after its fork
  --recycle-age-jitter SECONDS
                           recycle_age_jitter: the most that is added to recycle_age, different for each worker
  --herd-memory SIZE       herd_memory: limit for the whole herd; auto: from the limit of the cgroup`;
