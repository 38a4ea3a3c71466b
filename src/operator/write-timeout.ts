/**
 * How long a write to the API server or to Redis may take, milliseconds. One that has begun within the leader's renew
 * deadline then ends before another process may lead: the lease outlasts that deadline by five seconds.
 */
export const WRITE_TIMEOUT_MS = 4_000;
