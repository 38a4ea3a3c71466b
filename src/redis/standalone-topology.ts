import type { AsynqError } from '../runtime/errors.ts';
import type { ClusterNode, KeyLocation } from './router.ts';
import type { AskNode, Topology } from './topology.ts';

/** One server, which serves every slot: the same interface as a cluster, with nothing to find out. */
export class StandaloneTopology implements Topology {
  readonly isKnown = true;
  readonly problem = undefined;
  readonly #addr: string;
  readonly #ask: AskNode;
  /** The server as it introduced itself, since the last connection. */
  #known: Promise<ClusterNode> | undefined;

  constructor(addr: string, ask: AskNode) {
    this.#addr = addr;
    this.#ask = ask;
  }

  ownerOf(): string {
    return this.#addr;
  }

  masterAddrs(): readonly string[] {
    return [this.#addr];
  }

  async masters(): Promise<readonly ClusterNode[]> {
    return [await this.#askServer()];
  }

  async locate(slot: number): Promise<KeyLocation> {
    return { slot, master: await this.#server(), replicas: [] };
  }

  async refresh(): Promise<void> {}

  connected(): void {
    this.#known = undefined;
  }

  moved(): boolean {
    return false;
  }

  unserved(_slot: number, cause: AsynqError): AsynqError {
    return cause;
  }

  close(): void {}

  #server(): Promise<ClusterNode> {
    if (this.#known !== undefined) return this.#known;
    const asked = this.#askServer();
    this.#known = asked;
    asked.catch(() => {
      if (this.#known === asked) this.#known = undefined;
    });
    return asked;
  }

  async #askServer(): Promise<ClusterNode> {
    const info = String(await this.#ask(this.#addr, 'INFO', ['server']));
    return { id: /^run_id:(\w+)/m.exec(info)?.[1] ?? '', addr: this.#addr };
  }
}
