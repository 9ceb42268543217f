import { AppError, type CallView } from '@teleconsult/protocol';
import { viewCall } from '../consultation/view.ts';
import type { Committed } from './actor.ts';

/** The call as the command left it, also when it ended with it. */
export function viewOf({ state, effects }: Committed): CallView {
  const ended = effects.find((effect) => effect.type === 'callEnded');
  if (ended !== undefined) return viewCall(state, ended.call, ended.reason);
  if (state.call === null) throw noCall();
  return viewCall(state, state.call);
}

const noCall = (): AppError => new AppError('NOT_FOUND', { detail: 'there is no such running call' });
