import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../lab/temp-dir.ts';
import {
  CHART,
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

const SHOP = 'shop';
const COLUMN = '        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }\n';

const kube = kubectl();
const { addrs, password } = stage().redis;
const peer = await GoPeer.on({ addrs, cluster: true, password });
const inShop = (...args: string[]) => kube.run([...args, '--namespace', SHOP]);

showClusterOnFailure();

beforeAll(async () => {
  await kube.run(['create', 'namespace', SHOP]);
  await inShop('create', 'secret', 'generic', 'redis', `--from-literal=password=${password}`);
  await inShop('create', 'configmap', 'handlers', '--from-file=test/e2e/handlers');
});

afterAll(() => kube.run(['delete', 'namespace', SHOP, '--wait=false']));

describe('a release of the chart', () => {
  it('brings the CRD up to date when it is upgraded', async () => {
    await using older = await chartOfYesterday();
    await installOperator({ chart: older.path });
    expect(await columns()).not.toContain('Age');

    await installOperator({
      set: [`watchNamespaces={${SHOP}}`, 'rbac.secretNames={redis}', 'rbac.aggregate=false'],
    });

    expect(await columns()).toContain('Age');
  });

  it('needs no right outside of the namespaces that it is told to watch', async () => {
    await inShop('apply', '--filename', 'test/e2e/orders.yaml');
    await peer.enqueue([{ type: 'webhooks:sync', queue: 'orders', payload: base64({ datos: 123 }) }]);

    await until(async () => (await peer.queue('orders'))['Processed'] === 1, {
      timeout: 60_000,
      what: 'the task to be processed',
    });
    expect(await operatorLog()).not.toMatch(FORBIDDEN);
    expect(await kube.run(['get', 'clusterroles'])).not.toContain('asynq-operator');
  });

  it('leaves the CRD and all AsynqQueues behind when it is uninstalled', async () => {
    await uninstallOperator();

    expect(await inShop('get', 'asynqqueues', '--output', 'name')).toContain('orders');
    expect(await kube.run(['get', 'deployments', '--namespace', OPERATOR_NAMESPACE])).toBe('');
  });
});

/** The chart with a CRD that lacks a column. */
async function chartOfYesterday() {
  const folder = await tempDir('chart');
  await cp(CHART, folder.path, { recursive: true });
  const crd = join(folder.path, 'files/asynq.dev_asynqqueues.yaml');
  await writeFile(crd, (await readFile(crd, 'utf8')).replace(COLUMN, ''));
  return folder;
}

function columns(): Promise<string> {
  const path = 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}';
  return kube.run(['get', 'crd', 'asynqqueues.asynq.dev', '--output', path]);
}

function base64(payload: object): string {
  return Buffer.from(JSON.stringify(payload)).toString('base64');
}
