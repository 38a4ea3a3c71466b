import type { AsynqError } from '../runtime/errors.ts';
import type { ClusterNode, KeyLocation } from './router.ts';
import type { AskNode, Topology } from './topology.ts';

/** One server, which serves every slot: the same interface as a cluster, with nothing to find out. */
export class StandaloneTopology implements Topology {
  readonly isKnown = true;
  readonly problem = undefined;
  readonly #addr: string;
  readonly #ask: AskNode;

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
    const info = String(await this.#ask(this.#addr, 'INFO', ['server']));
    return [{ id: /^run_id:(\w+)/m.exec(info)?.[1] ?? '', addr: this.#addr }];
  }

  async locate(slot: number): Promise<KeyLocation> {
    const [master = { id: '', addr: this.#addr }] = await this.masters();
    return { slot, master, replicas: [] };
  }

  async refresh(): Promise<void> {}

  moved(): boolean {
    return false;
  }

  unserved(_slot: number, cause: AsynqError): AsynqError {
    return cause;
  }

  close(): void {}
}
