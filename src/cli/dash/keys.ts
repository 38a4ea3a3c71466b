/** What was hit: a character, or one of these. */
export type Key = string;

/** As `node:readline` tells them. */
export interface Keypress {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

const NAMED: ReadonlyMap<string, Key> = new Map([
  ['return', 'enter'],
  ['enter', 'enter'],
  ['escape', 'escape'],
  ['up', 'up'],
  ['down', 'down'],
  ['left', 'left'],
  ['right', 'right'],
  ['home', 'home'],
  ['end', 'end'],
  ['pageup', 'pageup'],
  ['pagedown', 'pagedown'],
  ['backspace', 'backspace'],
]);

/** The key of a keypress; undefined for those that mean nothing here. Pure. */
export function keyOf({ name = '', sequence = '', ctrl = false, meta = false }: Keypress): Key | undefined {
  if (ctrl) return name === 'c' || name === 'l' ? `ctrl-${name}` : undefined;
  const named = NAMED.get(name);
  if (named !== undefined) return named;
  return !meta && isCharacter(sequence) ? sequence : undefined;
}

/** One character that can be seen, and no escape sequence. */
export function isCharacter(key: Key): boolean {
  return /^[^\p{C}\p{Zl}\p{Zp}]$/u.test(key);
}
