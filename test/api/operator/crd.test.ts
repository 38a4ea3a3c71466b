import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { isInvalid, isKubeError } from '../../../src/kube/kube-error.ts';
import { ASYNQ_QUEUES, type AsynqQueueObject } from '../../../src/operator/ends/kubernetes-source.ts';
import { kubectl, testKube, testNamespace } from '../../support/kube.ts';
import { type ManifestCase, manifestCases } from '../../support/manifest-cases.ts';

const CRD = new URL('../../../crds/asynq.dev_asynqqueues.yaml', import.meta.url);

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  const credentials = await loadKubeConfig({ path: testKube().kubeconfig });
  client = new KubeClient({ credentials, userAgent: 'crd-test/1' });
  namespace = await testNamespace('crd');
});

afterAll(() => client.close());

/** As one user applies it, for good or only to see what would come of it. */
function apply(object: ManifestCase['object'], dryRun: boolean, name?: string): Promise<AsynqQueueObject> {
  const metadata = { ...(object['metadata'] as { name: string }), namespace, ...(name && { name }) };
  return client.apply(ASYNQ_QUEUES, { ...object, metadata }, { fieldManager: 'somebody', dryRun });
}

describe('the schema', () => {
  const cases = manifestCases();
  const fresh = cases.filter(({ before }) => before === undefined);
  const changed = cases.flatMap(({ before, ...rest }, i) =>
    before === undefined ? [] : [{ ...rest, before, key: `update-${i}` }],
  );
  const isTaken = ({ refused }: Pick<ManifestCase, 'refused'>) => refused === undefined;
  const isRefused = (given: Pick<ManifestCase, 'refused'>) => !isTaken(given);

  it.each(fresh.filter(isTaken))('takes $name', async ({ object, defaulted }) => {
    const metadata = { ...(object['metadata'] as { name: string }), namespace };
    const created = await client.create(
      ASYNQ_QUEUES,
      { ...object, metadata },
      { fieldManager: 'somebody', dryRun: true },
    );
    expect(created.spec).toMatchObject((defaulted ?? {}) as object);
  });

  it.each(fresh.filter(isRefused))('refuses $name', async ({ object, refused = [] }) => {
    const error = await apply(object, true).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isKubeError(error) && error.code).toBe('ASYNQ_KUBE_REFUSED');
    // Of a map of labels, the API server names the map.
    for (const field of refused) expect(String(error)).toContain(field.replace(/(?<=\.labels)\..*/, ''));
  });

  it.each(changed.filter(isTaken))('takes, as a change, $name', async ({ before, object, key }) => {
    await apply(before, false, key);
    const { metadata } = await apply(object, false, key);
    expect(metadata.name).toBe(key);
  });

  it.each(changed.filter(isRefused))('refuses, as a change, $name', async ({ before, object, key }) => {
    await apply(before, false, key);
    await expect(apply(object, false, key)).rejects.toSatisfy(isInvalid);
  });

  it('lets a later apply set the target that was left to its default', async () => {
    const manifest = (scaling: string) =>
      `{apiVersion: asynq.dev/v1alpha1, kind: AsynqQueue, metadata: {name: retargeted}, spec: {workerRef: {name: w}${scaling}}}`;
    const kube = kubectl();
    for (const how of [[], ['--server-side', '--force-conflicts']]) {
      for (const scaling of [
        '',
        ', scaling: {target: {tasksPerReplica: 5}}',
        ', scaling: {target: {latencySeconds: 9}}',
      ]) {
        await kube.run(['apply', '-n', namespace, ...how, '-f', '-'], manifest(scaling));
      }
    }
    const { spec } = await client.get(ASYNQ_QUEUES, { namespace, name: 'retargeted' });
    expect(spec.scaling.target).toEqual({ latencySeconds: 9 });
  });

  it('is small enough for kubectl apply, which keeps a copy in an annotation', () => {
    expect(readFileSync(CRD).byteLength).toBeLessThan(200 * 1024);
  });

  it('explains each field', async () => {
    const text = await kubectl().run(['explain', 'asynqqueues.spec', '--recursive']);
    expect(text).toContain('scaleToZeroAfterSeconds');
    const target = await kubectl().run(['explain', 'aq.spec.scaling.scaleToZeroAfterSeconds']);
    expect(target).toContain('Time without any demand');
  });
});

describe('kubectl get', () => {
  beforeAll(async () => {
    const metadata = { namespace, name: 'shown' };
    await apply({ metadata, spec: { queue: 'imágenes', workerRef: { name: 'w' } } }, false);
    const condition = (type: string, status: string, reason: string) => ({
      type,
      status,
      reason,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const status = {
      queue: 'imágenes',
      keySlot: 2788,
      node: { id: 'a', addr: '10.0.3.7:6379' },
      size: { pending: 7, active: 3, scheduled: 2, retry: 1, archived: 0, completed: 0, aggregating: 0 },
      latencySeconds: 12,
      replicas: 4,
      readyReplicas: 3,
      desiredReplicas: 5,
      conditions: [condition('Ready', 'True', 'Applied'), condition('Paused', 'False', 'Redis')],
    };
    await client.apply(ASYNQ_QUEUES, { metadata, status }, { fieldManager: 'status', subresource: 'status' });
  });

  const row = async (...flags: string[]) => {
    const table = await kubectl().run(['get', 'aq', 'shown', '-n', namespace, ...flags]);
    return table
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/\s{2,}/));
  };

  it('shows what matters', async () => {
    const [head, values = []] = await row();
    expect(head).toEqual('NAME QUEUE SLOT NODE PENDING LATENCY REPLICAS DESIRED READY AGE'.split(' '));
    expect(values.slice(0, -1)).toEqual('shown imágenes 2788 10.0.3.7:6379 7 12 4 5 True'.split(' '));
  });

  it('shows more with -o wide', async () => {
    const [head = [], values = []] = await row('-o', 'wide');
    expect(head.slice(-5)).toEqual('ACTIVE SCHEDULED RETRY PAUSED REASON'.split(' '));
    expect(values.slice(-5)).toEqual('3 2 1 False Applied'.split(' '));
  });

  it('finds the kind by its category', async () => {
    expect(await kubectl().run(['get', 'asynq', '-n', namespace, '-o', 'name'])).toContain(
      'asynqqueue.asynq.dev/shown',
    );
  });
});
