import { parseAddress } from '../runtime/address.ts';
import { AsynqError, type ErrorCode } from '../runtime/errors.ts';

/** What an error reply asks its reader to do. */
export type Refusal =
  /** The slot belongs to another node now. */
  | { readonly kind: 'moved'; readonly slot: number; readonly addr: string }
  /** The slot is on its way to another node; this key is there already. */
  | { readonly kind: 'ask'; readonly addr: string }
  /** The node does not know the script. */
  | { readonly kind: 'noscript' }
  /** Nothing was done, and soon it may be: a slot in mid-move, a failover, a server that starts. */
  | { readonly kind: 'again' }
  /** The node is a replica: whoever was reached here before is master no more. */
  | { readonly kind: 'readonly' }
  /** Asking again would not help. */
  | { readonly kind: 'final'; readonly code: ErrorCode };

/** First words of replies that pass by themselves. */
const PASSING = new Set(['TRYAGAIN', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'BUSY']);

const ACCESS = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM']);

/**
 * What to do about an error reply. `asked` is the node that gave it: a cluster that announces no host of its own means
 * "same host, that port".
 */
export function classifyReplyError(text: string, asked: string): Refusal {
  const [word = '', second = '', third = ''] = text.split(' ', 3);
  if (word === 'MOVED') return { kind: 'moved', slot: Number(second), addr: redirectAddr(third, asked) };
  if (word === 'ASK') return { kind: 'ask', addr: redirectAddr(third, asked) };
  if (word === 'NOSCRIPT') return { kind: 'noscript' };
  if (word === 'READONLY') return { kind: 'readonly' };
  if (PASSING.has(word) || isScriptInMovingSlot(text)) return { kind: 'again' };
  if (ACCESS.has(word)) return { kind: 'final', code: 'ASYNQ_REDIS_AUTH' };
  if (text.includes('cluster support disabled')) return { kind: 'final', code: 'ASYNQ_REDIS_NOT_A_CLUSTER' };
  return { kind: 'final', code: 'ASYNQ_REDIS_COMMAND' };
}

/** What a script gets in place of ASK for a key that it did not declare and that has left already. */
function isScriptInMovingSlot(text: string): boolean {
  return text.includes('attempted to access a non local key in a cluster node');
}

function redirectAddr(addr: string, asked: string): string {
  return addr.startsWith(':') || addr.startsWith('?:')
    ? `${parseAddress(asked).host}${addr.slice(addr.indexOf(':'))}`
    : addr;
}

/** The error that a caller gets for a reply that is final, or that was the last one before time ran out. */
export function replyError(code: ErrorCode, command: string, addr: string, text: string): AsynqError {
  return new AsynqError(code, `${addr} answered ${command} with: ${text}`, { cause: new Error(text) });
}
