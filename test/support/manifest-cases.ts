import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Json } from '../../src/operator/structural-schema.ts';

/** A case of test/vectors/manifests, with the objects made whole. */
export interface ManifestCase {
  readonly name: string;
  readonly object: ManifestObject;
  /** The object that the case is an update of. */
  readonly before: ManifestObject | undefined;
  /** Fields at fault; undefined when it is accepted. */
  readonly refused: readonly string[] | undefined;
  readonly defaulted: Json | undefined;
}

type ManifestObject = { readonly [field: string]: Json };

interface Written {
  readonly name: string;
  readonly metadata?: Json;
  readonly spec?: Json;
  readonly extra?: ManifestObject;
  readonly before?: Json;
  readonly refused?: readonly string[];
  readonly defaulted?: Json;
}

/** All cases, accepted ones first. */
export function manifestCases(): ManifestCase[] {
  return ['accepted', 'refused'].flatMap((file) => {
    const url = new URL(`../vectors/manifests/${file}.yaml`, import.meta.url);
    return (parse(readFileSync(url, 'utf8')) as Written[]).map((written) => ({
      name: written.name,
      object: { ...whole(written.metadata, written.spec), ...written.extra },
      before: written.before === undefined ? undefined : whole(written.metadata, written.before),
      refused: written.refused,
      defaulted: written.defaulted,
    }));
  });
}

function whole(metadata: Json | undefined, spec: Json | undefined): ManifestObject {
  return {
    apiVersion: 'asynq.dev/v1alpha1',
    kind: 'AsynqQueue',
    metadata: metadata ?? { name: 'case' },
    ...(spec === undefined ? {} : { spec }),
  };
}
