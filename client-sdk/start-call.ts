import type { CallMedia, CallView, ConsultationId, PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { Call, CallOptions } from './api.ts';
import { beginCapture } from './call-capture.ts';
import type { CallSlot } from './call-slot.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import { type Signalling, toAppError } from './requests.ts';
import { SeatClaim } from './resume/seat-claim.ts';

export interface StartCallParts {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly life: Lifetime;
  readonly calls: CallSlot;
  /** The consultation is being closed: no call begins any more. */
  readonly isClosing: () => boolean;
}

const CLOSED = new AppError('ABORTED', { detail: 'the consultation was closed' });

/** Rings the others, or those named; microphone and camera are asked for meanwhile. */
export async function startCall(
  { consultationId, signalling, device, life, calls, isClosing }: StartCallParts,
  media: CallMedia,
  { signal, people }: CallOptions & { people?: readonly string[] } = {},
): Promise<Call> {
  const requireWanted = () => {
    throwIfAborted(signal);
    if (isClosing()) throw CLOSED;
  };
  requireWanted();
  const held = calls.call;
  if (held?.takesPart === true) return held;
  await device.require();
  requireWanted();
  const capture = beginCapture(device, life, { microphone: true, camera: media === 'video' });
  calls.expectStart(capture.wanted);
  const called = people === undefined ? {} : { people: people as PersonId[] };
  const starting = signalling.request('call.start', { consultationId, media, ...called });
  try {
    const { call: view } = await life.within(starting, signal);
    requireWanted();
    const call = calls.apply(view);
    if (call === null) throw callRefused(view);
    call.sit(capture, SeatClaim.answered());
    calls.handleStartSettled({ isUnheard: false });
    return call;
  } catch (error) {
    capture.life.end(new AppError('ABORTED'));
    if (isClosing()) {
      const hangUp = ({ call: { callId } }: { call: CallView }) =>
        signalling.request('call.hangUp', { consultationId, callId });
      starting.then(hangUp).catch(() => {});
    } else if (signal?.aborted === true) {
      const hangUp = ({ call }: { call: CallView }) => calls.apply(call)?.hangUp();
      const settled = () => calls.handleStartSettled({ isUnheard: false });
      starting.then(hangUp).then(settled, settled);
    } else {
      const { code } = toAppError(error);
      calls.handleStartSettled({ isUnheard: code === 'DISCONNECTED' || code === 'TIMEOUT' });
    }
    throw error;
  }
}

/** A call that was over as soon as it began. */
function callRefused(view: CallView): AppError {
  return new AppError(view.endReason === 'busy' ? 'BUSY' : 'WRONG_STATE', {
    detail: view.endReason ?? view.state,
  });
}
