import { afterAll, beforeAll, expect, test } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import { CONFIG_MAPS, EVENTS } from '../../../src/kube/resources.ts';
import { kubectl, testKube, testNamespace } from '../../support/kube.ts';
import { until } from '../../support/until.ts';

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  client = new KubeClient({
    credentials: await loadKubeConfig({ path: testKube().kubeconfig }),
    userAgent: 'test/1',
  });
  namespace = await testNamespace('events');
});

afterAll(() => client.close());

test('events and their repetitions are taken by the API server and shown by kubectl', async () => {
  const recorder = new EventRecorder({ client, controller: 'example.dev/operator', instance: 'pod-1' });
  const object = await client.apply(
    CONFIG_MAPS,
    { metadata: { namespace, name: 'subject' } },
    { fieldManager: 'me' },
  );
  const facts = { type: 'Warning', reason: 'Tested', action: 'Test', note: 'ñandú '.repeat(300) } as const;
  recorder.record(object, facts);
  await until(async () => (await client.list(EVENTS, { namespace })).items.length === 1);
  recorder.record(object, facts);
  recorder.record(object, facts);
  recorder.record(object, { ...facts, type: 'Normal', note: 'short', related: object });
  await recorder.stop();
  const { items } = await client.list(EVENTS, { namespace });
  expect(items.length).toBe(2);
  const repeated = items.find((it) => it.type === 'Warning');
  expect(repeated).toMatchObject({
    reason: 'Tested',
    action: 'Test',
    reportingController: 'example.dev/operator',
    reportingInstance: 'pod-1',
    regarding: { kind: 'ConfigMap', name: 'subject', uid: object.metadata.uid },
    series: { count: 3 },
  });
  expect(await kubectl().run(['describe', 'configmap', 'subject', '--namespace', namespace])).toMatch(
    /Normal\s+Tested\s+\S+\s+\S*\s*short/,
  );
});
