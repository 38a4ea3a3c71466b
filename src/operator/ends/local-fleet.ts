import { availableParallelism } from 'node:os';
import { type AsynqQueue, keyOf, workerName } from '../asynq-queue.ts';
import type { Fleet, FleetResult, FleetState, QueueKey } from '../ends.ts';
import { LocalDeployment, type LocalDeploymentOptions } from './local-deployment.ts';
import type { TemplateOrRefusal } from './local-template.ts';

export interface LocalFleetOptions extends Pick<LocalDeploymentOptions, 'command' | 'clock' | 'log'> {
  /** What workers of an AsynqQueue are started with. */
  readonly templateOf: (queue: AsynqQueue) => Promise<TemplateOrRefusal>;
  readonly onOutput: (worker: string, line: string, stream: 'stdout' | 'stderr') => void;
  /** Workers that may be starting at the same time, over all queues. @default one a processor */
  readonly startsAtOnce?: number;
  /** `state` of this AsynqQueue tells something new. */
  readonly onChange: (key: QueueKey) => void;
}

/** How long a worker that starts keeps another from starting, at most. */
const START_MS = 5_000;

const ABSENT: FleetState = { presence: 'absent', replicas: 0, readyReplicas: 0, startupSeconds: [] };

/**
 * Workers as processes of this machine: what `dev` has where the operator has Deployments. They live as long as this
 * process; `stop` lets them finish first.
 */
export class LocalFleet implements Fleet {
  readonly #options: LocalFleetOptions;
  readonly #deployments = new Map<QueueKey, LocalDeployment>();
  readonly #leaving = new Set<LocalDeployment>();
  #isStopped = false;

  constructor(options: LocalFleetOptions) {
    this.#options = options;
  }

  state(queue: AsynqQueue): FleetState {
    return this.#deployments.get(keyOf(queue))?.state() ?? ABSENT;
  }

  async apply(queue: AsynqQueue, replicas: number | undefined): Promise<FleetResult> {
    const answer = await this.#options.templateOf(queue);
    if (answer.kind === 'refused') return { changed: [], refusal: answer.refusal };
    if (this.#isStopped) return { changed: [] };
    const { template } = answer;
    const known = this.#deployments.get(keyOf(queue));
    const deployment = known ?? this.#create(queue);
    const wanted = replicas ?? deployment.replicas;
    const isUpdated = deployment.revision !== template.revision;
    const isScaled = deployment.replicas !== wanted;
    if (wanted > 0 && wanted < deployment.replicas) await deployment.askActive();
    if (isUpdated || isScaled) deployment.want(wanted, template);
    else deployment.settle();
    const scaled = isScaled ? { scaledTo: wanted } : {};
    if (known === undefined) return { changed: ['created'], ...scaled };
    return { changed: isUpdated ? ['updated'] : [], ...scaled };
  }

  /** Asks the workers to end; they may take their drain timeout, which is not waited for. */
  async remove(key: QueueKey): Promise<void> {
    const deployment = this.#deployments.get(key);
    if (deployment === undefined) return;
    this.#deployments.delete(key);
    this.#leaving.add(deployment);
    void deployment.stop().then(() => this.#leaving.delete(deployment));
  }

  /** Pids of all processes, those that are stopping too. */
  get pids(): number[] {
    return this.#all().flatMap(({ pids }) => pids);
  }

  /** Lets all workers finish, each within its drain timeout; nothing is started any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#all().map((deployment) => deployment.stop()));
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#isStopped = true;
    for (const deployment of this.#all()) deployment.kill();
  }

  #all(): LocalDeployment[] {
    return [...this.#deployments.values(), ...this.#leaving];
  }

  #create(queue: AsynqQueue): LocalDeployment {
    const { command, clock, log, onOutput, onChange } = this.#options;
    const key = keyOf(queue);
    const deployment = new LocalDeployment({
      name: workerName(queue),
      command,
      clock,
      log: log.child({ queue: key }),
      onOutput,
      room: () => this.#room(),
      onChange: () => {
        this.#settleAll();
        onChange(key);
      },
    });
    this.#deployments.set(key, deployment);
    return deployment;
  }

  /**
   * Ten workers that start at once on two processors are all ready late: started one after the other, the first ones are
   * ready at once and the last ones no later. A worker that hangs as it starts holds its place for a while only.
   */
  #room(): number {
    const { startsAtOnce = availableParallelism() } = this.#options;
    const starting = this.#all().reduce((sum, deployment) => sum + deployment.startingSince(START_MS), 0);
    return Math.max(0, startsAtOnce - starting);
  }

  /** A place that became free goes to whoever has the fewest workers. */
  #settleAll(): void {
    const deployments = [...this.#deployments.values()];
    for (const deployment of deployments.toSorted((a, b) => a.size - b.size)) deployment.settle();
  }
}
