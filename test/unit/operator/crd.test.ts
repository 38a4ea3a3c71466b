import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
}

const crd = parse(
  readFileSync(new URL('../../../crds/asynq.dev_asynqqueues.yaml', import.meta.url), 'utf8'),
) as { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } };
const root = crd.spec.versions[0]?.schema.openAPIV3Schema ?? {};

/** All schemas below this one, by path. */
function* walk(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* walk(property, `${path}.${name}`);
  if (schema.items) yield* walk(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${path}{}`);
}

const { spec = {}, status = {} } = root.properties ?? {};
const all = [...walk(spec, 'spec'), ...walk(status, 'status')];

it('gives scaling as a whole the defaults that its fields have one by one', () => {
  const scaling = spec.properties?.['scaling'];
  const defaults = Object.entries(scaling?.properties ?? {}).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, field.default]],
  );
  expect(scaling?.default).toEqual(Object.fromEntries(defaults));
});

it('bounds every string, list and map, for rules to be cheap and objects small', () => {
  const unbounded = all.filter(
    ([, { type, maxLength, maxItems, maxProperties, enum: words, format, additionalProperties }]) =>
      (type === 'string' && maxLength === undefined && words === undefined && format !== 'date-time') ||
      (type === 'array' && maxItems === undefined) ||
      (additionalProperties !== undefined && maxProperties === undefined),
  );
  expect(unbounded.map(([path]) => path)).toEqual([]);
});

it('describes every field', () => {
  const silent = all.filter(
    ([path, { description }]) => description === undefined && !path.endsWith('[]') && !path.endsWith('{}'),
  );
  expect(silent.map(([path]) => path)).toEqual([]);
});
