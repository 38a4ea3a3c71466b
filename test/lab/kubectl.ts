import { dirname, join } from 'node:path';
import { run } from './run.ts';

/** kubectl on one cluster, as one user; what it learns of the API is cached beside its kubeconfig. */
export class Kubectl {
  readonly #binary: string;
  readonly #kubeconfig: string;

  constructor(parts: { binary: string; kubeconfig: string }) {
    this.#binary = parts.binary;
    this.#kubeconfig = parts.kubeconfig;
  }

  /** What it prints; a failure carries what the API server said. */
  run(args: readonly string[], input?: string): Promise<string> {
    const cache = join(dirname(this.#kubeconfig), 'kubectl-cache');
    const all = ['--kubeconfig', this.#kubeconfig, '--cache-dir', cache, ...args];
    return run(this.#binary, all, input === undefined ? {} : { input });
  }

  /** As `run` with `-o json`, parsed. */
  async json<T>(args: readonly string[], input?: string): Promise<T> {
    return JSON.parse(await this.run([...args, '-o', 'json'], input)) as T;
  }
}
