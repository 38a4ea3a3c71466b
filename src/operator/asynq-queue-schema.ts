import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { GROUP, KIND, VERSION } from './asynq-queue.ts';
import { compileRules, type RuleCheck } from './cel-rules.ts';
import { type Check, compileCheck } from './schema-check.ts';
import {
  isObject,
  type Json,
  type StructuralSchema,
  type Violation,
  withDefaults,
} from './structural-schema.ts';

const CRD = new URL('../../crds/asynq.dev_asynqqueues.yaml', import.meta.url);

/** What the API server knows of metadata without the CRD's help. */
const METADATA: StructuralSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      maxLength: 253,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    },
    namespace: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    labels: {
      type: 'object',
      additionalProperties: {
        type: 'string',
        maxLength: 63,
        pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$',
      },
    },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    generateName: { type: 'string' },
    finalizers: { type: 'array', items: { type: 'string' } },
    ...Object.fromEntries(
      [
        'uid',
        'resourceVersion',
        'generation',
        'creationTimestamp',
        'deletionTimestamp',
        'deletionGracePeriodSeconds',
        'selfLink',
        'ownerReferences',
        'managedFields',
      ].map((name) => [name, {}]),
    ),
  },
};

/** An AsynqQueue after defaulting, and what is wrong with it. */
export interface Verdict {
  readonly value: Json;
  readonly violations: readonly Violation[];
}

/**
 * The API server's judgement of an AsynqQueue, made without one: the CRD's own schema and CEL rules. Rules are looked at
 * once the schema is satisfied, as there.
 */
export class AsynqQueueSchema {
  readonly #schema: StructuralSchema;
  readonly #check: Check;
  readonly #rules: RuleCheck;

  constructor(schema: StructuralSchema) {
    this.#schema = { ...schema, properties: { ...schema.properties, metadata: METADATA } };
    this.#check = compileCheck(this.#schema);
    this.#rules = compileRules(this.#schema);
  }

  /** Reads the CRD that comes with this package. */
  static load(): AsynqQueueSchema {
    const crd: CustomResourceDefinition = parse(readFileSync(CRD, 'utf8'), { merge: true });
    const version = crd.spec.versions.find(({ name }) => name === VERSION);
    if (version === undefined) throw new Error(`${CRD.pathname}: no version ${VERSION} of ${KIND}.${GROUP}`);
    return new AsynqQueueSchema(version.schema.openAPIV3Schema);
  }

  /** `old` is the object that this one would replace. The status is the operator's to write: it is ignored. */
  judge(manifest: Json, old?: Json): Verdict {
    const value = withDefaults(this.#schema, withoutStatus(manifest));
    const violations = this.#check(value);
    return { value, violations: violations.length > 0 ? violations : this.#rules(value, old) };
  }
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
    }[];
  };
}

function withoutStatus(manifest: Json): Json {
  if (!isObject(manifest)) return manifest;
  const { status: _, ...rest } = manifest;
  return rest;
}
