import { z } from 'zod';
import type { ErrorBody } from './errors.ts';
import type { FactName, FactPayload } from './facts.ts';
import { DeviceId } from './ids.ts';
import type { RequestInput, RequestName, RequestResult } from './requests.ts';

/** What a client presents when it connects (Socket.IO `auth`). */
export const Handshake = z.strictObject({
  protocol: z.int(),
  token: z.string().min(1).max(8192),
  deviceId: DeviceId,
});
export type Handshake = z.infer<typeof Handshake>;

/** The one envelope of every acknowledgement. */
export type Reply<T> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly error: ErrorBody };

/** Socket.IO event map, client to server. */
export type ClientToServerEvents = {
  [N in RequestName]: (payload: RequestInput<N>, ack: (reply: Reply<RequestResult<N>>) => void) => void;
};

/** Socket.IO event map, server to client. */
export type ServerToClientEvents = { [N in FactName]: (payload: FactPayload<N>) => void };
