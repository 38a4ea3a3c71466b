import { type Exchange, json, type Reply, refuse, reset } from './fake-api-server.ts';

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
}

/** How the server treats the next requests: as it should, or as it happens. */
export type Weather = 'fine' | 'error' | 'lost request' | 'lost answer' | 'hang';

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** One Lease, with the API server's rules: versions that must match, times with six digits. */
export class FakeLease {
  weather: Weather = 'fine';
  spec: LeaseSpec | undefined;
  readonly writes: LeaseSpec[] = [];
  #version = 0;

  readonly reply: Reply = (exchange, response) => {
    if (this.weather === 'hang') return;
    if (this.weather === 'lost request') return reset(exchange, response);
    if (this.weather === 'error') return refuse(500, 'InternalError')(exchange, response);
    const answer = this.#answer(exchange);
    (this.weather === 'lost answer' ? reset : answer)(exchange, response);
  };

  /** Somebody else writes. */
  write(spec: LeaseSpec): void {
    this.spec = { ...this.spec, ...spec };
    this.#version += 1;
  }

  #answer({ method, body }: Exchange): Reply {
    if (method === 'GET') return this.spec === undefined ? refuse(404, 'NotFound') : this.#lease();
    const { metadata, spec } = body as { metadata: { resourceVersion?: string }; spec: LeaseSpec };
    for (const time of [spec.renewTime, spec.acquireTime]) {
      if (time !== undefined && !MICRO_TIME.test(time)) return refuse(400, 'BadRequest');
    }
    if (method === 'POST' && this.spec !== undefined) return refuse(409, 'AlreadyExists');
    if (method === 'PATCH' && this.spec === undefined) return refuse(404, 'NotFound');
    if (method === 'PATCH' && metadata.resourceVersion !== String(this.#version))
      return refuse(409, 'Conflict');
    this.write(spec);
    this.writes.push(spec);
    return this.#lease();
  }

  #lease(): Reply {
    return json({
      metadata: { namespace: 'ns', name: 'l', resourceVersion: String(this.#version) },
      spec: this.spec,
    });
  }
}
