/**
 * A time as Leases and Events want it: RFC 3339 with exactly six digits of a second. The API server refuses the three
 * digits of `Date`'s own text.
 */
export function microTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('Z', '000Z');
}
