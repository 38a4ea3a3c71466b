/** What Go's `unicode.IsPrint` lets pass: letters, marks, digits, punctuation, symbols, and of the blanks only this one. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Payloads and results as Go's CLI shows them; bytes that are no text, and none at all, are `non-printable bytes`. */
export function bytesText(bytes: Uint8Array): string {
  return printableText(bytes) ?? 'non-printable bytes';
}

/** The text that bytes are, if all of it can be printed and something of it is seen. */
export function printableText(bytes: Uint8Array): string | undefined {
  const text = utf8(bytes);
  return text !== undefined && PRINTABLE.test(text) && text.trim() !== '' ? text : undefined;
}

/** Bytes for programs: as text, where they are, and as they are. */
export function bytesData(bytes: Uint8Array | undefined): { text: string | null; base64: string | null } {
  if (bytes === undefined) return { text: null, base64: null };
  return { text: utf8(bytes) ?? null, base64: Buffer.from(bytes).toString('base64') };
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
