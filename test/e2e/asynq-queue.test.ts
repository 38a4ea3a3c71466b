import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { owns, parseClusterNodes } from '../lab/cluster-nodes.ts';
import {
  FORBIDDEN,
  installOperator,
  kubectl,
  OPERATOR_NAMESPACE,
  operatorLog,
  showClusterOnFailure,
  stage,
  uninstallOperator,
} from '../support/e2e.ts';
import { GoPeer } from '../support/go-peer.ts';
import { until } from '../support/until.ts';

const MEDIA = 'media';
const QUEUES = 'test/e2e/queues.yaml';
const MINUTE_MS = 60_000;

const kube = kubectl();
const { addrs, password } = stage().redis;
const redis = new Cluster([...addrs], { redisOptions: { password, protocol: 2 } });
const peer = await GoPeer.on({ addrs, cluster: true, password });
const inMedia = (...args: string[]) => kube.run([...args, '--namespace', MEDIA]);

showClusterOnFailure();

beforeAll(async () => {
  await installOperator();
  await kube.run(['create', 'namespace', MEDIA]);
  await kube.run(['label', 'namespace', MEDIA, 'pod-security.kubernetes.io/enforce=restricted']);
  await inMedia('create', 'secret', 'generic', 'redis', `--from-literal=password=${password}`);
  await inMedia('create', 'configmap', 'handlers', '--from-file=test/e2e/handlers');
  await inMedia('apply', '--filename', QUEUES);
});

afterAll(async () => {
  redis.disconnect();
  await uninstallOperator();
  await kube.run(['delete', 'namespace', MEDIA, '--wait=false']);
});

describe('three AsynqQueues on an operator from the chart', () => {
  it('become Ready, each with a Deployment of no replicas', async () => {
    await inMedia('wait', '--for=condition=Ready', '--timeout=60s', 'asynqqueues', '--all');
    for (const name of ['imagenes', 'webhooks', 'notificaciones']) {
      expect(await deployment(name)).toMatchObject({ spec: { replicas: 0 } });
    }
  });

  it('show the key slot and the node that owns it', async () => {
    const slot = await redis.cluster('KEYSLOT', 'asynq:{imágenes}');
    const nodes = parseClusterNodes(String(await redis.call('CLUSTER', 'NODES')));
    const owner = nodes.find((node) => owns(node, slot));

    const row = await until(async () => {
      const [columns = '', values = ''] = (await inMedia('get', 'aq', 'imagenes')).split('\n');
      return cells(columns, values);
    });

    expect(slot).toBe(2788);
    expect(row).toMatchObject({ QUEUE: 'imágenes', SLOT: '2788', NODE: owner?.addr, READY: 'True' });
  });

  it('get workers for what a Go client enqueues, each task once, and lose them when all is done', async () => {
    const held = Array.from({ length: 10 }, (_, i) => ({
      type: 'otra',
      queue: 'notificaciones',
      taskId: `n${i}`,
    }));
    const tasks = images(300, 300);
    await peer.enqueue([...held, ...tasks]);

    let peak = 0;
    await until(
      async () => {
        peak = Math.max(peak, (await deployment('imagenes')).spec.replicas);
        return (await finished()).length >= tasks.length;
      },
      { timeout: 2 * MINUTE_MS, interval: 200, what: 'all tasks to be finished' },
    );

    expect(peak).toBe(3);
    expect((await finished()).map(({ id }) => id).toSorted()).toEqual(
      tasks.map(({ taskId }) => taskId).toSorted(),
    );
    await workersGone('imagenes');
    expect(await peer.queue('imágenes')).toMatchObject({ Size: 0, Processed: tasks.length, Failed: 0 });
    expect(await peer.queue('notificaciones')).toMatchObject({ Pending: held.length });
    await redis.del('asynq:{notificaciones}:pending');
  });

  it('lose nothing when a worker is deleted in the middle of its tasks', async () => {
    await redis.del('{e2e}:began', '{e2e}:finished');
    const tasks = images(5, 10_000, 'long');
    await peer.enqueue(tasks);
    const [first] = await until(async () => (await began()).length === tasks.length && began(), {
      timeout: MINUTE_MS,
      what: 'a worker to have all tasks in hand',
    });

    await inMedia('delete', 'pod', first?.pod ?? '', '--wait=false');

    await until(async () => new Set((await finished()).map(({ id }) => id)).size === tasks.length, {
      timeout: 2 * MINUTE_MS,
      what: 'another worker to finish the tasks',
    });
    expect((await finished()).some(({ pod }) => pod === first?.pod)).toBe(false);
    await workersGone('imagenes');
    expect(await peer.queue('imágenes')).toMatchObject({ Size: 0, Failed: 0 });
  });

  it('are left alone when the same file is applied again and a minute passes', async () => {
    await inMedia('wait', '--for=jsonpath={.status.size.pending}=0', '--timeout=30s', 'asynqqueues', '--all');
    const before = await versions();

    expect(await inMedia('apply', '--filename', QUEUES)).not.toMatch(/configured|created/);
    await delay(MINUTE_MS);

    expect(await versions()).toEqual(before);
  });

  it('tell why a worker does not start, and ask for no more of its kind', async () => {
    await inMedia('apply', '--filename', 'test/e2e/broken-handlers.yaml');
    await peer.enqueue([1, 2, 3].map((i) => ({ type: 'any', queue: 'broken', taskId: `broken-${i}` })));

    await inMedia('wait', '--for=condition=WorkersAvailable=false', '--timeout=50s', 'asynqqueue', 'broken');

    const { status } = await kube.json<{ status: { conditions: Condition[] } }>([
      'get',
      'asynqqueue',
      'broken',
      '--namespace',
      MEDIA,
    ]);
    const condition = status.conditions.find(({ type }) => type === 'WorkersAvailable');
    expect(condition?.message).toMatch(/broken\.mjs.*expected a default export/);
    await until(async () => (await deployment('broken')).spec.replicas === 1, { timeout: 20_000 });
    const { generation } = (await deployment('broken')).metadata;
    await until(async () => (await restarts('broken')) >= 2, { timeout: 2 * MINUTE_MS, interval: 500 });
    expect((await deployment('broken')).metadata.generation).toBe(generation);
    await inMedia('delete', 'asynqqueue', 'broken');
  });

  it('take their Deployment with them', async () => {
    await inMedia('delete', 'asynqqueue', 'webhooks', '--timeout=60s');

    await until(async () => !(await inMedia('get', 'deployments')).includes('webhooks-worker'), {
      timeout: 30_000,
      what: 'the Deployment to go',
    });
  });
});

it('the samples are AsynqQueues to the API server', async () => {
  const samples = await kube.run(['kustomize', 'deploy/samples']);
  const accepted = await kube.run(['apply', '--dry-run=server', '--filename', '-'], samples);
  expect(accepted.match(/^asynqqueue\.asynq\.dev\/\S+ created/gm)).toHaveLength(3);
});

describe('the operator', () => {
  it('was allowed all that it did', async () => {
    expect(await operatorLog()).not.toMatch(FORBIDDEN);
  });

  it('is an image of less than 200 MB', async () => {
    const { items } = await kube.json<{ items: { status: { images: Image[] } }[] }>(['get', 'nodes']);
    const ours = items
      .flatMap(({ status }) => status.images)
      .find(({ names }) => names.some((name) => name.includes('/asynq-operator:')));
    expect(ours?.sizeBytes).toBeLessThan(200e6);
  });

  it('serves its metrics', async () => {
    const pods = await kube.json<{ items: KubeItem[] }>(['get', 'pods', '--namespace', OPERATOR_NAMESPACE]);
    const pod = pods.items[0]?.metadata.name ?? '';
    const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/pods/${pod}:8080/proxy/metrics`;
    expect(await kube.run(['get', '--raw', path])).toMatch(/^asynq_operator_/m);
  });
});

interface Condition {
  readonly type: string;
  readonly message: string;
}

interface Image {
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

interface KubeItem {
  readonly kind: string;
  /** What an Event is about. */
  readonly regarding?: { readonly kind: string };
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

/** Tasks as Go's client takes them, each to keep a worker busy for `ms` milliseconds. */
function images(count: number, ms: number, prefix = 'img') {
  return Array.from({ length: count }, (_, i) => ({
    type: 'imágenes:resize',
    queue: 'imágenes',
    taskId: `${prefix}-${i}`,
    payload: Buffer.from(JSON.stringify({ src: 'alguna/ruta/a/imagen', ms })).toString('base64'),
  }));
}

interface Mark {
  readonly id: string;
  readonly pod: string;
}

const began = () => marks('{e2e}:began');
const finished = () => marks('{e2e}:finished');

async function marks(key: string): Promise<Mark[]> {
  return (await redis.lrange(key, 0, -1)).map((line) => {
    const [id = '', pod = ''] = line.split(' ');
    return { id, pod };
  });
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
}

function deployment(queue: string): Promise<Deployment> {
  return kube.json(['get', 'deployment', `${queue}-worker`, '--namespace', MEDIA]);
}

/** How often the queue's workers that are there were started again. */
async function restarts(queue: string): Promise<number> {
  const path = '{.items[*].status.containerStatuses[*].restartCount}';
  const selector = `asynq.dev/asynqqueue=${queue}`;
  const counts = await inMedia('get', 'pods', '--selector', selector, '--output', `jsonpath=${path}`);
  return Math.max(...counts.split(' ').map(Number));
}

/** Everything that the operator writes or causes to be written, with its version. */
async function versions(): Promise<string[]> {
  const kinds = 'asynqqueues,deployments,replicasets,pods,events.events.k8s.io';
  const { items } = await kube.json<{ items: KubeItem[] }>(['get', kinds, '--namespace', MEDIA]);
  return items
    .filter(({ regarding }) => regarding === undefined || regarding.kind === 'AsynqQueue')
    .map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.resourceVersion}`);
}

async function workersGone(queue: string): Promise<void> {
  await until(
    async () => {
      expect((await deployment(queue)).spec.replicas).toBe(0);
      expect(await inMedia('get', 'pods', '--output', 'name')).not.toContain(`${queue}-worker`);
      return true;
    },
    { timeout: MINUTE_MS, interval: 200, what: 'the workers to go' },
  );
}

/** A line of kubectl's table by its columns, which start where their headings do. */
function cells(columns: string, values: string): Record<string, string> {
  const headings = [...columns.matchAll(/\S+/g)];
  return Object.fromEntries(
    headings.map((heading, i) => [heading[0], values.slice(heading.index, headings[i + 1]?.index).trim()]),
  );
}
