const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\u0007', 'a'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
  ['\v', 'v'],
  ['"', '"'],
  ['\\', '\\'],
]);
const UNESCAPED: ReadonlyMap<string, string> = new Map([...ESCAPES].map(([char, letter]) => [letter, char]));

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ESCAPE =
  /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([abfnrtv"\\]))|[^\\"\n]+/y;

/** A Go string literal of the text (Go `strconv.Quote`, `%q`). */
export function goQuote(text: string): string {
  return `"${Array.from(text, escaped).join('')}"`;
}

/** The text of a Go string literal in double quotes (Go `strconv.Unquote`); undefined when it is none. */
export function goUnquote(literal: string): string | undefined {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const inner = literal.slice(1, -1);
  // Escapes may name single bytes of a character.
  const parts: Buffer[] = [];
  ESCAPE.lastIndex = 0;
  for (let at = 0; at < inner.length; at = ESCAPE.lastIndex) {
    const [all, byte, short, long, octal, letter] = ESCAPE.exec(inner) ?? [];
    if (all === undefined) return undefined;
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (code > 0x10_ffff || (code >= 0xd800 && code < 0xe000) || Number.parseInt(octal ?? '', 8) > 255) {
      return undefined;
    }
    if (byte !== undefined) parts.push(Buffer.from(byte, 'hex'));
    else if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8)]));
    else if (!Number.isNaN(code)) parts.push(Buffer.from(String.fromCodePoint(code)));
    else parts.push(Buffer.from(letter === undefined ? all : (UNESCAPED.get(letter) ?? '')));
  }
  return Buffer.concat(parts).toString();
}

function escaped(char: string): string {
  const letter = ESCAPES.get(char);
  if (letter !== undefined) return `\\${letter}`;
  const code = char.codePointAt(0) ?? 0;
  // Half of a surrogate pair is no character to Go.
  if (code >= 0xd800 && code < 0xe000) return '\ufffd';
  if (PRINTABLE.test(char)) return char;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
