import { Environment } from '@marcbachmann/cel-js';
import { errorText } from '../runtime/errors.ts';
import {
  type CelRule,
  type FieldPath,
  isObject,
  type Json,
  type StructuralSchema,
  type Violation,
} from './structural-schema.ts';

type Program = (context: Record<string, unknown>) => unknown;

interface CompiledRule extends CelRule {
  readonly holds: Program;
  /** A rule about the change from `oldSelf`: it says nothing about a new object. */
  readonly isTransition: boolean;
}

/** A schema's rules, compiled, with those of the fields within. */
interface RuleTree {
  readonly schema: StructuralSchema;
  readonly rules: readonly CompiledRule[];
  readonly properties: ReadonlyMap<string, RuleTree>;
  readonly others: RuleTree | undefined;
}

export type RuleCheck = (value: Json, old?: Json) => readonly Violation[];

/**
 * The `x-kubernetes-validations` of a schema: rules in CEL, each evaluated where its field is present. Values go in as
 * the API server types them: whole numbers of integer fields are CEL ints, all else is dynamic.
 */
export function compileRules(schema: StructuralSchema): RuleCheck {
  const environment = new Environment({ enableOptionalTypes: true })
    .registerVariable('self', 'dyn')
    .registerVariable('oldSelf', 'dyn');
  const tree = compileTree(schema, environment);
  return (value, old) => [...check(tree, value, old, [])];
}

function compileTree(schema: StructuralSchema, environment: Environment): RuleTree {
  const { properties = {}, additionalProperties, items } = schema;
  const others = additionalProperties ?? items;
  return {
    schema,
    rules: (schema['x-kubernetes-validations'] ?? []).map((rule) => ({
      ...rule,
      holds: environment.parse(rule.rule),
      isTransition: /\boldSelf\b/.test(rule.rule),
    })),
    properties: new Map(
      Object.entries(properties).map(([name, field]) => [name, compileTree(field, environment)] as const),
    ),
    others: others && compileTree(others, environment),
  };
}

function* check(tree: RuleTree, value: Json, old: Json | undefined, path: FieldPath): Generator<Violation> {
  for (const rule of tree.rules) {
    if (rule.isTransition && old === undefined) continue;
    const broken = evaluate(rule, tree.schema, value, old);
    if (broken !== undefined) yield { path: [...path, ...fieldPathOf(rule)], message: broken };
  }
  if (Array.isArray(value)) {
    if (tree.others === undefined) return;
    // Lists are atomic to us: their items have no old self.
    for (const [i, item] of value.entries()) yield* check(tree.others, item as Json, undefined, [...path, i]);
  } else if (isObject(value)) {
    const oldFields = isObject(old) ? old : {};
    for (const [name, field] of Object.entries(value)) {
      const within = tree.properties.get(name) ?? tree.others;
      if (within !== undefined) yield* check(within, field, oldFields[name], [...path, name]);
    }
  }
}

/** What a broken rule says, or undefined when it holds. A rule that cannot be evaluated is broken, as it is to the API server. */
function evaluate(rule: CompiledRule, schema: StructuralSchema, value: Json, old?: Json): string | undefined {
  try {
    const context = {
      self: toCel(schema, value),
      ...(old === undefined ? {} : { oldSelf: toCel(schema, old) }),
    };
    return rule.holds(context) === true ? undefined : (rule.message ?? `failed rule: ${rule.rule}`);
  } catch (error) {
    const [reason] = errorText(error).split('\n');
    return `rule ${rule.rule}: ${reason}`;
  }
}

function fieldPathOf(rule: CelRule): FieldPath {
  return rule.fieldPath?.split('.').filter((step) => step !== '') ?? [];
}

function toCel(schema: StructuralSchema | undefined, value: Json): unknown {
  if (typeof value === 'number') {
    const isInt = schema?.type === 'integer' || schema?.type === undefined;
    return isInt && Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item: Json) => toCel(schema?.items, item));
  if (!isObject(value)) return value;
  const fieldSchema = (name: string) => schema?.properties?.[name] ?? schema?.additionalProperties;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, toCel(fieldSchema(name), field)]),
  );
}
