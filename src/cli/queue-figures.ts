/** In the order of Go's tables. */
export const STATES = [
  'active',
  'pending',
  'aggregating',
  'scheduled',
  'retry',
  'archived',
  'completed',
] as const;

/** `66.67%`; `N/A` where nothing was processed. */
export function errorRate(processed: number, failed: number): string {
  return processed === 0 ? 'N/A' : `${((100 * failed) / processed).toFixed(2)}%`;
}
