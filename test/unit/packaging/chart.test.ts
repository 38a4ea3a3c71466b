import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const CHART = 'charts/asynq-operator';
const text = (file: string) => readFileSync(file, 'utf8');
const packageJson = JSON.parse(text('package.json')) as { version: string };

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}
const schema = JSON.parse(text(`${CHART}/values.schema.json`)) as Schema;
const values = parse(text(`${CHART}/values.yaml`)) as Readonly<Record<string, unknown>>;

describe('the versions of a release', () => {
  it('are those of the package, in the chart and in the kustomization', () => {
    const chart = parse(text(`${CHART}/Chart.yaml`)) as { version: string; appVersion: string };
    const kustomization = parse(text('deploy/kustomization.yaml')) as { images: [{ newTag: string }] };

    expect(chart).toMatchObject({ version: packageJson.version, appVersion: packageJson.version });
    expect(kustomization.images[0].newTag).toBe(packageJson.version);
  });
});

describe("the chart's copy of the CRD", () => {
  it('has the one place where the template puts the annotation that keeps it', () => {
    const crd = text(`${CHART}/files/asynq.dev_asynqqueues.yaml`);
    expect(crd.split('\nmetadata:\n')).toHaveLength(2);
    expect(parse(crd)).not.toHaveProperty('metadata.annotations');
  });
});

describe('the schema of the values', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const faults = (change: object) => (validate({ ...values, ...change }) ? [] : validate.errors);

  it('accepts the defaults and knows each of them', () => {
    expect(faults({})).toEqual([]);
    expect(unknownPaths(values, schema)).toEqual([]);
  });

  it.each([
    [
      'a connection in the words of spec.redis',
      { redis: { addrs: ['redis:6379'], username: 'worker', passwordSecretRef: { name: 'redis' } } },
    ],
    [
      'one server',
      { redis: { mode: 'Standalone', addrs: ['redis:6379'], db: 3, tls: { caSecretRef: { name: 'ca' } } } },
    ],
    [
      'an image by digest',
      { image: { repository: 'registry/asynq-operator', digest: `sha256:${'a'.repeat(64)}` } },
    ],
    ['namespaces', { watchNamespaces: ['media', 'shop'] }],
  ])('accepts %s', (_, change) => {
    expect(faults(change)).toEqual([]);
  });

  it.each([
    ['a value that nothing reads', { replicas: 2 }],
    ['a connection without addresses', { redis: { mode: 'Cluster' } }],
    ['an address without a port', { redis: { addrs: ['redis'] } }],
    ['a misspelt word of spec.redis', { redis: { addrs: ['redis:6379'], password: 'x' } }],
    ['a mode that Redis has not', { redis: { mode: 'Sentinel', addrs: ['redis:6379'] } }],
    ['an unknown pull policy', { image: { repository: 'asynq-operator', pullPolicy: 'Sometimes' } }],
    ['half a digest', { image: { repository: 'asynq-operator', digest: 'sha256:abc' } }],
    ['a namespace that cannot be one', { watchNamespaces: ['Media'] }],
    ['a level that no message has', { logLevel: 'verbose' }],
  ])('refuses %s', (_, change) => {
    expect(faults(change)).not.toEqual([]);
  });
});

/** Paths in `value` that a schema closed at that level does not list. */
function unknownPaths(value: unknown, { properties, additionalProperties }: Schema, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = properties?.[key];
    if (below !== undefined) return unknownPaths(inner, below, `${path}${key}.`);
    return additionalProperties === false ? [`${path}${key}`] : [];
  });
}
