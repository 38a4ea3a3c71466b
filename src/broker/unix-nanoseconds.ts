/** Unix nanoseconds as asynq writes them into `pending_since`: text, since a number would not hold them. */
export function unixNanoseconds(ms: number): string {
  return `${Math.floor(ms)}000000`;
}
