import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { AUDIT_POLICY } from './audit-log.ts';
import { Child } from './child.ts';

/** Of Service addresses, which nothing here routes; the API server wants one. */
const SERVICE_CIDR = '10.96.0.0/16';
const START_DEADLINE_MS = 120_000;
const REQUEST_TIMEOUT_MS = 5_000;

/** Who may call, by bearer token: real authentication without a certificate for each. */
const ADMIN = 'admin';
/** One user for all controllers, with all rights: roles for each would cost the start some seconds. */
const CONTROLLER_MANAGER = 'system:kube-controller-manager';

/**
 * One kube-apiserver process on a port that it keeps over restarts.
 *
 * It makes its own serving certificate, and callers bear tokens of a file, so no certificate authority is needed. Pods'
 * tokens are signed as everywhere.
 */
export class KubeApiServer {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM file of the authority that signed its certificate; there once it has started. */
  readonly caFile: string;
  readonly auditLogFile: string;
  readonly adminToken = randomUUID();
  readonly controllerManagerToken = randomUUID();
  readonly serviceAccountKeyFile: string;
  readonly #parts: { binary: string; etcd: string; dir: string; host: string; port: number };
  #child: Child | undefined;

  constructor(parts: { binary: string; etcd: string; dir: string; host: string; port: number }) {
    this.#parts = parts;
    this.url = `https://${parts.host}:${parts.port}`;
    this.caFile = join(parts.dir, 'ca.crt');
    this.auditLogFile = join(parts.dir, 'audit.jsonl');
    this.serviceAccountKeyFile = join(parts.dir, 'service-account.key');
  }

  /** Writes what the process reads; once. */
  async prepare(): Promise<void> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const tokens = [
      [this.adminToken, ADMIN],
      [this.controllerManagerToken, CONTROLLER_MANAGER],
    ] as const;
    await Promise.all([
      writeFile(this.serviceAccountKeyFile, privateKey.export({ type: 'sec1', format: 'pem' })),
      writeFile(this.#file('audit-policy.yaml'), AUDIT_POLICY),
      writeFile(
        this.#file('tokens.csv'),
        tokens.map(([token, user]) => `${token},${user},${user},system:masters\n`).join(''),
      ),
    ]);
  }

  /** Starts the process and waits until it is ready to serve; harmless when it runs. */
  async start(): Promise<void> {
    const { binary, dir, port } = this.#parts;
    if (this.#child?.isRunning) return;
    this.#child = new Child({ name: `kube-apiserver-${port}`, command: binary, args: this.#args(), dir });
    await this.#child.ready(() => existsSync(this.#file('apiserver.key')), { timeout: START_DEADLINE_MS });
    await writeFile(this.caFile, authorityOf(await readFile(this.#file('apiserver.crt'), 'utf8')));
    await this.#child.ready(async () => (await this.get('/readyz')) === 'ok', { timeout: START_DEADLINE_MS });
  }

  /** `kill -9`; `start` brings it back. */
  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }

  /** SIGSTOP: an API server that hangs, with all connections open. */
  pause(): void {
    this.#child?.signal('SIGSTOP');
  }

  resume(): void {
    this.#child?.signal('SIGCONT');
  }

  /** Body of the answer to a GET as administrator; fails unless the status is 200. */
  async get(path: string): Promise<string> {
    const ca = await readFile(this.caFile);
    const headers = { authorization: `Bearer ${this.adminToken}` };
    return new Promise((resolve, reject) => {
      const call = request(`${this.url}${path}`, { ca, headers, timeout: REQUEST_TIMEOUT_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`GET ${path}: ${response.statusCode} ${body}`));
        });
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error(`GET ${path}: no answer in ${REQUEST_TIMEOUT_MS} ms`)));
      call.on('error', reject);
      call.end();
    });
  }

  #args(): string[] {
    const { etcd, dir, host, port } = this.#parts;
    return [
      `--etcd-servers=${etcd}`,
      `--bind-address=${host}`,
      `--advertise-address=${host}`,
      '--endpoint-reconciler-type=none', // refuses to tell others a loopback address otherwise
      `--secure-port=${port}`,
      `--cert-dir=${dir}`,
      `--service-cluster-ip-range=${SERVICE_CIDR}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${this.#file('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${this.serviceAccountKeyFile}`,
      `--service-account-signing-key-file=${this.serviceAccountKeyFile}`,
      `--audit-policy-file=${this.#file('audit-policy.yaml')}`,
      `--audit-log-path=${this.auditLogFile}`,
    ];
  }

  #file(name: string): string {
    return join(this.#parts.dir, name);
  }
}

/** The last certificate of a chain in PEM. */
function authorityOf(chain: string): string {
  return chain.slice(chain.lastIndexOf('-----BEGIN CERTIFICATE-----'));
}
