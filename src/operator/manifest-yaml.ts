import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import { errorText } from '../runtime/errors.ts';
import type { FieldPath, Json } from './structural-schema.ts';

/** A place in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One object of a manifest file: a document, or an item of one of kind List. */
export interface ManifestObject {
  readonly value: Json;
  /** Where the field stands; of a missing field, where the nearest one around it does. */
  position(path: FieldPath): Position;
}

export interface YamlProblem {
  readonly position: Position;
  readonly message: string;
}

/**
 * The objects of a YAML or JSON file, read as kubectl reads them: YAML 1.1, where `yes` and `on` are booleans and `010` is
 * eight, but dates and binary stay strings; a key that stands twice is an error.
 */
export function readObjects(text: string): { objects: ManifestObject[]; problems: YamlProblem[] } {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, {
    schema: 'yaml-1.1',
    merge: true,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isOnlyOurs(tag)),
  });
  const objects: ManifestObject[] = [];
  const problems: YamlProblem[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const faults = [
      // Those after the first mostly follow from it.
      ...document.errors.slice(0, 1).map(({ pos, message }) => ({ offset: pos[0], message })),
      ...aliasFaults(document),
    ];
    for (const { offset, message } of faults) problems.push({ position: positionAt(offset), message });
    if (faults.length > 0 || document.contents === null) continue;
    for (const root of rootsOf(document)) {
      try {
        const value = toJson(root, document);
        if (value === null) continue;
        objects.push({ value, position: (path) => positionAt(offsetOf(root, document, path)) });
      } catch (error) {
        // A merge of something that is no map, or more aliases than an honest file has.
        problems.push({ position: positionAt(root.range?.[0] ?? 0), message: errorText(error) });
      }
    }
  }
  return { objects, problems };
}

/** Tags that yaml resolves without being told, and Go's YAML does not. */
function isOnlyOurs(tag: { tag: string; format?: string }): boolean {
  return tag.tag.endsWith(':timestamp') || tag.tag.endsWith(':binary') || tag.format === 'TIME';
}

/** Aliases that no value can be made of: the parser takes them, and what stands inside itself has no end. */
function aliasFaults(document: Document.Parsed): { offset: number; message: string }[] {
  const faults: { offset: number; message: string }[] = [];
  visit(document, {
    Alias: (_key, alias, around) => {
      const target = alias.resolve(document);
      const offset = alias.range?.[0] ?? 0;
      if (target === undefined) {
        faults.push({ offset, message: `*${alias.source}: there is no &${alias.source} before it` });
      } else if (around.includes(target)) {
        faults.push({ offset, message: `*${alias.source} stands inside of what it stands for` });
      }
    },
  });
  return faults;
}

/** The document's object, or the items of a list of them. */
function rootsOf(document: Document.Parsed): Node[] {
  const { contents } = document;
  if (!isMap(contents)) return contents === null ? [] : [contents];
  const items = resolve(contents.get('items', true), document);
  if (!String(contents.get('kind')).endsWith('List') || !isSeq(items)) return [contents];
  return items.items.map((item) => resolve(item, document)).filter((item) => item !== undefined);
}

function toJson(node: Node, document: Document.Parsed): Json {
  return node.toJS(document) as Json;
}

/** Where the key of the last step that exists begins; a list's item has no key and begins with its value. */
function offsetOf(root: Node, document: Document.Parsed, path: FieldPath): number {
  let node: Node | undefined = root;
  let offset = root.range?.[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair: { key: unknown; value: unknown } | undefined = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = resolve(pair.value, document);
    } else if (isSeq(node)) {
      node = resolve(node.items[Number(step)], document);
      if (node === undefined) return offset;
      offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function resolve(node: unknown, document: Document.Parsed): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return (node ?? undefined) as Node | undefined;
}
