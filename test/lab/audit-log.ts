import { readFile } from 'node:fs/promises';

/** What the API server noted of one request (audit.k8s.io/v1 Event, the fields that tests read). */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  /** ISO 8601 with microseconds: order of arrival. */
  readonly requestReceivedTimestamp: string;
}

/**
 * Every request, without bodies, once it was answered (a watch: once it began). Left out is what the control plane reads
 * for itself; what it writes is kept.
 */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ['system:apiserver', 'system:kube-controller-manager']
  verbs: [get, list, watch]
- level: None
  nonResourceURLs: ['/readyz*', '/healthz*', '/livez*', '/openapi*', '/version*', '/api', '/api/*', '/apis', '/apis/*']
- level: Metadata
`;

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export function isWrite(event: AuditEvent): boolean {
  return WRITES.has(event.verb);
}

/** The log so far, in the order in which requests came, each request once. */
export async function readAuditLog(path: string): Promise<AuditEvent[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  // The last piece is empty, or a line that is being written.
  const events = lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEvent);
  return events
    .filter((event) => event.stage === (event.verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete'))
    .toSorted((a, b) => a.requestReceivedTimestamp.localeCompare(b.requestReceivedTimestamp));
}
