/** The memory of the host, in bytes, as shown in the status. */
export interface HostReport {
  memory_total: number;
  memory_free: number;
  memory_available: number;
  page_cache: number;
}
