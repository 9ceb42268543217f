import type { FactPayload } from '@teleconsult/protocol';
import type { ClientOptions, TeleconsultClient } from './api.ts';
import type { Emitter } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { Signalling } from './requests.ts';
import type { TokenSource } from './token-source.ts';

/** Facts that only modules beside the client care for. */
export interface RecordFacts {
  'recording.changed': FactPayload<'recording.changed'>;
  'note.changed': FactPayload<'note.changed'>;
  'followUps.changed': FactPayload<'followUps.changed'>;
  'phone.changed': FactPayload<'phone.changed'>;
}

/** What the SDK's further modules (`records`, `phone`) share with a client. */
export interface ClientInsides {
  /** Origin of the server. */
  readonly url: string;
  readonly tokens: TokenSource;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly life: Lifetime;
  readonly storage: NonNullable<ClientOptions['storage']>;
  readonly facts: Emitter<RecordFacts>;
  /** Waited for before the client closes, or forgets what this device keeps. They never reject. */
  readonly farewells: Set<(why: 'close' | 'forget') => Promise<void>>;
}

/** No app reaches them: a client hands out nothing of what it stands on. */
export const insides = new WeakMap<TeleconsultClient, ClientInsides>();
