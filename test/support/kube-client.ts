import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient, type KubeClientOptions } from '../../src/kube/api.ts';
import { loadKubeConfig } from '../../src/kube/config.ts';

/** A kubeconfig with one cluster and one user in a folder of its own. */
export class KubeConfigFile implements Disposable {
  readonly dir: string;
  readonly path: string;

  constructor(cluster: object, user: object = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    this.path = join(this.dir, 'config');
    this.write(cluster, user);
  }

  /** JSON is YAML. */
  write(cluster: object, user: object = {}): void {
    writeFileSync(
      this.path,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'ours' } }],
        'current-context': 'x',
      }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A client of a server without TLS. */
export async function clientOf(url: string, options: Partial<KubeClientOptions> = {}): Promise<KubeClient> {
  using file = new KubeConfigFile({ server: url, 'insecure-skip-tls-verify': true });
  const credentials = await loadKubeConfig({
    path: file.path,
    ...(options.clock && { clock: options.clock }),
  });
  return new KubeClient({ credentials, userAgent: 'test/1', random: () => 0.5, ...options });
}
