/** The memory of the host, in bytes, as the status has it. */
export interface HostReport {
  memory_total: number;
  memory_free: number;
  memory_available: number;
  page_cache: number;
}
