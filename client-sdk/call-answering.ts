import type { CallView, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { beginCapture, type Capture, type Wanted } from './call-capture.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';
import type { SeatRef } from './media-session.ts';
import { type Signalling, toAppError } from './requests.ts';
import { type KeptCall, wishesOf } from './resume/kept-call.ts';

export interface AnsweringOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly device: MediaDevice;
  readonly kept: KeptCall;
  /** The call's. */
  readonly life: Lifetime;
  readonly wanted: Wanted;
  /** Null: the call was answered before, and is only to be held here. */
  readonly accept: { readonly leaveOther: boolean } | null;
  readonly signal: AbortSignal | undefined;
  /** Throws when the call was given up here meanwhile, or is over. */
  readonly requireWanted: () => void;
  readonly onView: (view: CallView) => void;
  readonly hangUp: () => Promise<void>;
}

const GIVEN_UP = new AppError('ABORTED', { detail: 'the call was not answered here' });

/** What is off in the seat that is taken over (null: none is), is not switched on by going on here. */
export const wantedHere = ({ media }: CallView, taken: SeatView | null, camera: boolean): Wanted => ({
  microphone: taken?.microphoneOn ?? true,
  camera: camera && media === 'video' && (taken?.cameraOn ?? true),
});

/** Answers the call, and asks for microphone and camera meanwhile. When it rejects, they are free again. */
export async function answerCall(options: AnsweringOptions): Promise<Capture> {
  const { seat, device, kept, life, wanted, accept, requireWanted } = options;
  let capture: Capture | null = null;
  try {
    await device.require();
    requireWanted();
    capture = beginCapture(device, life, wanted);
    if (accept !== null) {
      // Before it is asked: the answer may be lost together with the page.
      kept.keep({ ...seat, ticket: null, ...wishesOf(wanted) });
      await acceptOrUndo(options, accept.leaveOther);
    }
    requireWanted();
    return capture;
  } catch (error) {
    capture?.life.end(GIVEN_UP);
    // After an answer that was lost, the server may show that it was accepted; then it goes on.
    const { code } = toAppError(error);
    if (accept !== null && code !== 'DISCONNECTED' && code !== 'TIMEOUT') kept.forget(seat.callId);
    throw error;
  }
}

/** When the caller gave up before the server answered, the call that was accepted nevertheless is hung up. */
async function acceptOrUndo(options: AnsweringOptions, leaveOther: boolean): Promise<void> {
  const { seat, signalling, life, signal, onView, hangUp } = options;
  const accepting = signalling.request('call.accept', { ...seat, leaveOther });
  try {
    const { call } = await life.within(accepting, signal);
    onView(call);
  } catch (error) {
    if (signal?.aborted === true) {
      accepting
        .then(({ call }) => {
          onView(call);
          return hangUp();
        })
        .catch(() => {});
    }
    throw error;
  }
}
