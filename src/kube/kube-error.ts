import { AsynqError, type ErrorCode } from '../runtime/errors.ts';

/** The body with which the API server says no (`kind: Status`). */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: StatusDetails;
}

export interface StatusDetails {
  readonly name?: string;
  readonly kind?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
}

export interface KubeErrorFacts {
  /** HTTP status; 0: no answer came. @default 0 */
  readonly status?: number;
  /** The API server's word for it (`NotFound`, `Conflict`, `Expired`, ...); '' when it gave none. @default '' */
  readonly reason?: string;
  readonly details?: StatusDetails;
  /** How long the server asks us to stay away, milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A request to the API server that failed: refused, unanswered, or answered with something unreadable. */
export class KubeError extends AsynqError {
  readonly status: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, facts: KubeErrorFacts = {}) {
    super(code, message, { cause: facts.cause });
    this.status = facts.status ?? 0;
    this.reason = facts.reason ?? '';
    this.details = facts.details;
    this.retryAfterMs = facts.retryAfterMs;
  }

  static {
    this.prototype.name = 'KubeError';
  }
}

/** The error that an answer with a `Status` is; `what` names the request (`GET /api/v1/pods`). */
export function refusal(what: string, httpStatus: number, body: Status, retryAfter?: string): KubeError {
  const retryAfterMs = parseRetryAfter(retryAfter) ?? secondsToMs(body.details?.retryAfterSeconds);
  return new KubeError(
    'ASYNQ_KUBE_REFUSED',
    `${what}: ${httpStatus} ${body.message ?? body.reason ?? ''}`.trimEnd(),
    {
      status: httpStatus,
      ...(body.reason === undefined ? {} : { reason: body.reason }),
      ...(body.details === undefined ? {} : { details: body.details }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  );
}

/** The API server sends whole seconds; a date, which proxies may send, is not worth a clock here. */
function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : undefined;
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000;
}

export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** Somebody changed the object since we read it. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409) && !isAlreadyExists(error);
}

export function isAlreadyExists(error: unknown): boolean {
  return isKubeError(error) && error.status === 409 && error.reason === 'AlreadyExists';
}

/** The resource version or the `continue` token is too old: list again. */
export function isGone(error: unknown): boolean {
  return hasStatus(error, 410);
}

/** The API server does not accept the object as it stands: asking again changes nothing. */
export function isInvalid(error: unknown): boolean {
  return hasStatus(error, 422) || hasStatus(error, 400);
}

export function isForbidden(error: unknown): boolean {
  return hasStatus(error, 403);
}

export function isUnauthorized(error: unknown): boolean {
  return hasStatus(error, 401);
}

/** An API server that has not yet seen the resource version which it was asked for. */
export function isTooLargeResourceVersion(error: unknown): boolean {
  return (
    isKubeError(error) &&
    error.details?.causes?.some((it) => it.reason === 'ResourceVersionTooLarge') === true
  );
}

export function isKubeError(error: unknown): error is KubeError {
  return AsynqError.is(error) && 'status' in error && 'reason' in error;
}

function hasStatus(error: unknown, status: number): boolean {
  return isKubeError(error) && error.status === status;
}
