/** Made by scripts/tables.ts out of agent/cowherd_agent/own_settings.json. */
import * as v from 'valibot';

/** Values of Cowherd's own settings, as a mold says them. */
export const ownSettings = {
  heap_policy: v.string(),
  warmup: v.array(v.string()),
  gc_guard: v.string(),
  sampling_budget_percent: v.pipe(v.number(), v.minValue(0)),
  metrics: v.optional(v.nullable(v.string()), null),
  metrics_token_file: v.optional(v.nullable(v.string()), null),
  boot_timeout_seconds: v.pipe(v.number(), v.minValue(0)),
  refork_after: v.array(v.pipe(v.number(), v.integer(), v.minValue(1))),
  refork_by_benefit: v.boolean(),
  exit_when_hopeless: v.boolean(),
  heal: v.boolean(),
  recycle_private_bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  recycle_pss_bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  recycle_rss_bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  recycle_samples: v.pipe(v.number(), v.integer(), v.minValue(1)),
  recycle_age_seconds: v.pipe(v.number(), v.minValue(0)),
  recycle_age_jitter_seconds: v.pipe(v.number(), v.minValue(0)),
  herd_memory: v.union([v.picklist(['off', 'auto']), v.pipe(v.number(), v.integer(), v.minValue(0))]),
};
