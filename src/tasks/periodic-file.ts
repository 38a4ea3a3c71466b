import { readFile } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { TaskOptions } from './options.ts';
import { checkPeriodicTask, type PeriodicTask } from './periodic-task.ts';
import type { PeriodicTaskProvider } from './periodic-task-manager.ts';
import { Task } from './task.ts';

/**
 * Periodic tasks from a YAML or JSON file, which is read each time they are asked for:
 *
 *     tasks:
 *       - spec: CRON_TZ=Europe/Berlin 0 6 * * MON-FRI
 *         type: report:daily
 *         payload: { team: sales }
 *         queue: reports
 *         timeoutSeconds: 600
 *
 * Spec and type must be there; payload is any JSON; the rest are the options of `TaskOptions`, but for the times of a
 * single run. The provider throws ASYNQ_PERIODIC_TASKS_INVALID with every fault, its file, line and field.
 */
export function periodicTaskFile(path: string): PeriodicTaskProvider {
  return async (signal) => {
    let text: string;
    try {
      text = await readFile(path, { encoding: 'utf8', signal });
    } catch (cause) {
      const message = `cannot read the periodic tasks of ${path}: ${errorText(cause)}`;
      throw new AsynqError('ASYNQ_PERIODIC_TASKS_INVALID', message, { cause });
    }
    return readPeriodicTasks(text, path);
  };
}

/** The periodic tasks of a file's text; `file` is its name in errors. @throws ASYNQ_PERIODIC_TASKS_INVALID */
export function readPeriodicTasks(text: string, file: string): PeriodicTask[] {
  const reader = new Reader(text);
  const tasks = reader.tasks();
  if (reader.faults.length === 0) return tasks;
  const message = reader.faults.map((fault) => `${file}:${fault}`).join('\n');
  throw new AsynqError('ASYNQ_PERIODIC_TASKS_INVALID', message);
}

type OptionName = Exclude<keyof TaskOptions, 'deadline' | 'processAt'>;
type Kind = 'a string' | 'a number' | 'strings by name';

const OPTIONS: Readonly<Record<OptionName, Kind>> = {
  queue: 'a string',
  taskId: 'a string',
  maxRetry: 'a number',
  timeoutSeconds: 'a number',
  processInSeconds: 'a number',
  uniqueSeconds: 'a number',
  retentionSeconds: 'a number',
  group: 'a string',
  headers: 'strings by name',
};

const FIELDS = ['spec', 'type', 'payload', ...Object.keys(OPTIONS)];

/** One reading of one text; the faults that it comes upon are collected. */
class Reader {
  /** `line:column: field: what was expected and what came`. */
  readonly faults: string[] = [];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(text: string) {
    this.#document = parseDocument(text, { prettyErrors: false, lineCounter: this.#lines });
    for (const { pos, message } of this.#document.errors) this.#fault(pos[0], '', message);
    visit(this.#document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.#document) !== undefined) return;
        this.#fault(offsetOf(alias), '', `*${alias.source}: there is no &${alias.source} before it`);
      },
    });
  }

  tasks(): PeriodicTask[] {
    if (this.faults.length > 0) return [];
    const { contents } = this.#document;
    const root = this.#map(contents, 'the file', ['tasks']);
    if (root === undefined) return [];
    const list = this.#resolve(root.get('tasks'));
    if (isSeq(list)) {
      return list.items.flatMap((item, index) => this.#task(item as Node, `tasks[${index}]`) ?? []);
    }
    this.#fault(offsetOf(list ?? contents), 'tasks', `expected a list, got ${this.#shown(list)}`);
    return [];
  }

  #task(node: Node, path: string): PeriodicTask | undefined {
    const known = this.faults.length;
    const fields = this.#map(node, path, FIELDS);
    if (fields === undefined) return undefined;
    const spec = this.#required(fields, 'spec', node, path);
    const type = this.#required(fields, 'type', node, path);
    const options: Record<string, unknown> = {};
    for (const [name, kind] of Object.entries(OPTIONS)) {
      const value = fields.get(name);
      if (value !== undefined) options[name] = this.#value(value, kind, `${path}.${name}`);
    }
    const payload = this.#json(fields.get('payload'), `${path}.payload`);
    if (this.faults.length > known || spec === undefined || type === undefined) return undefined;
    try {
      const periodic = { spec, task: new Task(type, payload ?? null, options) };
      checkPeriodicTask(periodic, { location: 'UTC', nowMs: 0 });
      return periodic;
    } catch (error) {
      const isSpec = AsynqError.is(error, 'ASYNQ_CRON_SPEC_INVALID');
      this.#fault(
        offsetOf(isSpec ? fields.get('spec') : node),
        isSpec ? `${path}.spec` : path,
        errorText(error),
      );
      return undefined;
    }
  }

  #required(fields: Map<string, Node>, name: string, around: Node, path: string): string | undefined {
    const node = fields.get(name);
    if (node !== undefined) return this.#value(node, 'a string', `${path}.${name}`) as string | undefined;
    this.#fault(offsetOf(around), `${path}.${name}`, 'expected a string, got nothing');
    return undefined;
  }

  /** The values of a map by name; faults for names that nobody knows. */
  #map(node: Node | null, path: string, known: readonly string[]): Map<string, Node> | undefined {
    const map = this.#resolve(node);
    if (!isMap(map)) {
      this.#fault(offsetOf(node), path, `expected a map with ${known.join(', ')}, got ${this.#shown(map)}`);
      return undefined;
    }
    const fields = new Map<string, Node>();
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      if (!known.includes(name)) {
        this.#fault(offsetOf(key), `${path}.${name}`, `expected one of ${known.join(', ')}`);
      } else if (value !== null) fields.set(name, value as Node);
    }
    return fields;
  }

  #value(node: Node, kind: Kind, path: string): unknown {
    const value = this.#json(node, path);
    if (value === undefined || CHECKS[kind](value)) return value;
    this.#fault(offsetOf(node), path, `expected ${kind}, got ${this.#shown(node)}`);
    return undefined;
  }

  /** Undefined, and a fault, for what has no end: it stands inside of itself, or has too many aliases. */
  #json(node: Node | undefined, path: string): object | string | number | boolean | null | undefined {
    try {
      const value: unknown = node?.toJS(this.#document);
      JSON.stringify(value);
      return value as object;
    } catch (error) {
      const [why] = errorText(error).split('\n');
      this.#fault(offsetOf(node), path, `expected what JSON can say: ${why}`);
      return undefined;
    }
  }

  #shown(node: Node | null | undefined): string {
    if (node === null || node === undefined) return 'nothing';
    return isScalar(node)
      ? JSON.stringify(node.value)
      : isMap(node)
        ? 'a map'
        : isSeq(node)
          ? 'a list'
          : 'an alias';
  }

  #resolve(node: Node | null | undefined): Node | null | undefined {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #fault(offset: number, path: string, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const where = path === '' ? '' : `${path}: `;
    this.faults.push(`${Math.max(line, 1)}:${Math.max(col, 1)}: ${where}${message}`);
  }
}

const CHECKS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  'a string': isString,
  'a number': Number.isFinite,
  'strings by name': (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isString),
};

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
