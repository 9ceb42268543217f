import type { CallView, RequestResult } from '@teleconsult/protocol';
import type { Lifetime } from './lifetime.ts';
import type { SeatRef } from './media-session.ts';
import { persist, type Signalling, toAppError } from './requests.ts';

export interface EndingOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly life: Lifetime;
  readonly onView: (view: CallView) => void;
}

export type Ending = 'call.hangUp' | 'call.leave';

/**
 * Tells the server that this device hangs up or leaves, as soon as there is a connection. Who may not end the call for
 * the others leaves it. That it is over already is what was wanted.
 */
export async function tellEnding(ending: Ending, options: EndingOptions): Promise<void> {
  const { seat, signalling, life, onView } = options;
  const ask = (name: Ending): Promise<RequestResult<Ending>> =>
    persist({ signalling, life }, () => signalling.request(name, seat));
  try {
    const { call } = await ask(ending);
    onView(call);
  } catch (thrown) {
    const { code } = toAppError(thrown);
    if (code === 'FORBIDDEN' && ending === 'call.hangUp') return tellEnding('call.leave', options);
    if (!life.over && code !== 'NOT_FOUND' && code !== 'WRONG_STATE') throw thrown;
  }
}
