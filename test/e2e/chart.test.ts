import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CHART, helm, kubectl } from '../support/e2e.ts';

const kube = kubectl();

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: unknown;
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly { readonly env: readonly { readonly name: string }[] }[];
}

function manifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

function template(...values: string[]): Promise<string> {
  return helm(['template', 'asynq-operator', CHART, ...values]);
}

const REDIS = 'redis={"addrs":["redis:6379"],"username":"worker","passwordSecretRef":{"name":"redis"}}';

describe('the chart', () => {
  it.each([
    ['its defaults', []],
    ['a connection with TLS', ['--set-json', REDIS, '--set', 'redis.tls.caSecretRef.name=ca']],
    ['namespaces', ['--set', 'watchNamespaces={default,kube-public}', '--set', 'rbac.secretNames={redis}']],
    [
      'everything',
      ['--set', 'replicaCount=2,networkPolicy.enabled=true,metrics.service.enabled=true,crds.keep=false'],
    ],
    ['other names', ['--set', 'nameOverride=queues,fullnameOverride=ops,workerImage=w:1,extraEnv[0].name=A']],
  ])('makes what the API server accepts, with %s', async (_, values) => {
    const objects = await template(...values);
    expect(await kube.run(['apply', '--dry-run=server', '--filename', '-'], objects)).toContain(
      'deployment.apps/',
    );
  });

  it('makes a PodMonitor that selects the operator', async () => {
    const objects = manifests(await template('--set', 'metrics.podMonitor.enabled=true'));
    expect(objects.find(({ kind }) => kind === 'PodMonitor')).toMatchObject({
      spec: { selector: { matchLabels: { 'app.kubernetes.io/name': 'asynq-operator' } } },
    });
  });

  it('gives no right outside of the namespaces that it watches', async () => {
    const objects = manifests(await template('--set', 'watchNamespaces={media},rbac.aggregate=false'));
    expect(objects.map(({ kind }) => kind)).not.toContain('ClusterRole');
  });

  it('refuses values that nothing reads', async () => {
    await expect(template('--set', 'replicas=2')).rejects.toThrow(/replicas/);
  });

  it('installs what the kustomization installs', async () => {
    const chart = manifests(await template());
    const kustomization = manifests(await kube.run(['kustomize', 'deploy']));

    expect(rules(chart)).toEqual(rules(kustomization));
    expect(podSpec(chart)).toEqual(podSpec(kustomization));
  });
});

/** Role -> what it allows. */
function rules(objects: readonly Manifest[]): Record<string, unknown> {
  const roles = objects.filter(({ kind }) => kind.endsWith('Role'));
  return Object.fromEntries(
    roles.map(({ kind, metadata, rules: allowed }) => [`${kind} ${metadata.name}`, allowed]),
  );
}

/** The operator's, without where its default connection comes from. */
function podSpec(objects: readonly Manifest[]): object {
  const spec = objects.find(({ kind }) => kind === 'Deployment')?.spec?.template.spec;
  const [container] = spec?.containers ?? [];
  return { ...spec, containers: [{ ...container, envFrom: undefined }] };
}
