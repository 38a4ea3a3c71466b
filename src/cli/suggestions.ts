/** Slips of the finger that are forgiven, as in Go's CLI (cobra). */
const FURTHEST = 2;

/** Which of `names` may have been meant by `typed`: those that start with it, and those that are two slips away. */
export function suggestions(typed: string, names: readonly string[]): string[] {
  const word = typed.toLowerCase();
  return names.filter((name) => name.startsWith(word) || distance(word, name) <= FURTHEST);
}

/** Letters to put in, take out or replace to come from one word to the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(from).entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
