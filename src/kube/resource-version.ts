/**
 * Which of two resource versions of one resource is newer: negative when `a` is older, 0 when equal or when either is
 * not the decimal number that Kubernetes makes it (then nothing can be said of age).
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a === b || !isDecimal(a) || !isDecimal(b)) return 0;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The newer of the two; `b` when nothing can be said of their ages. */
export function newerResourceVersion(a: string | undefined, b: string): string {
  return a !== undefined && compareResourceVersions(a, b) > 0 ? a : b;
}

function isDecimal(version: string): boolean {
  return /^\d+$/.test(version);
}
