/** A line of CLUSTER NODES. */
export interface NodeLine {
  readonly id: string;
  /** `host:port`. */
  readonly addr: string;
  /** e.g. `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`. */
  readonly flags: ReadonlySet<string>;
  /** Id of the master that it replicates. */
  readonly masterId: string | undefined;
  readonly configEpoch: number;
  readonly connected: boolean;
  /** Ranges of slots that it owns, both ends included. */
  readonly slots: readonly (readonly [number, number])[];
}

export function parseClusterNodes(text: string): NodeLine[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [id = '', address = '', flags = '', master = '-', , , epoch, link, ...slots] = line
        .trim()
        .split(' ');
      return {
        id,
        addr: address.replace(/@.*/, ''),
        flags: new Set(flags.split(',')),
        masterId: master === '-' ? undefined : master,
        configEpoch: Number(epoch),
        connected: link === 'connected',
        slots: slots.filter((range) => !range.startsWith('[')).map(parseRange),
      };
    });
}

function parseRange(text: string): readonly [number, number] {
  const [from = '', to = from] = text.split('-');
  return [Number(from), Number(to)];
}

export function owns(node: NodeLine, slot: number): boolean {
  return node.slots.some(([from, to]) => from <= slot && slot <= to);
}

export function isMaster(node: NodeLine): boolean {
  return node.flags.has('master');
}

/** Part of the cluster, and not marked as failed. */
export function isHealthy(node: NodeLine): boolean {
  return !['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => node.flags.has(flag));
}

/** Who owns which slots, as one text: nodes agree when their texts are equal. */
export function ownersOf(nodes: readonly NodeLine[]): string {
  return nodes
    .filter((node) => node.slots.length > 0)
    .map((node) => `${node.id} ${node.slots.join(' ')}`)
    .toSorted()
    .join('\n');
}

/** Who follows whom, as one text. */
export function followersOf(nodes: readonly NodeLine[]): string {
  return nodes
    .map((node) => `${node.id} ${node.masterId ?? 'master'}`)
    .toSorted()
    .join('\n');
}
