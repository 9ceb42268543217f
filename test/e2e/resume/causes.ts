import { setTimeout as lasts } from 'node:timers/promises';
import type { Caller } from './caller.ts';
import type { ResumeStage } from './resume-stage.ts';

/** What can happen to somebody in the middle of a visit. */
export type Cause =
  | { readonly kind: 'reload' | 'tab' | 'browser' | 'server' | 'worker' }
  /** Nothing passes: the cable is out. */
  | { readonly kind: 'network'; readonly ms: number }
  /** One kind of traffic vanishes, without a word to anybody. */
  | { readonly kind: 'socket' | 'media'; readonly ms: number };

export const NEEDS_NETWORKS: readonly Cause['kind'][] = ['network', 'socket', 'media'];

/** A break that is over. */
export interface Break {
  readonly brokenAt: number;
  /** When that what was broken was there again: from here on every millisecond is the software's. */
  readonly backAt: number;
  /** True when the media was built anew, so that what still arrived of the old is not taken for the new. */
  readonly anew: boolean;
  /** Whose page was loaded anew. */
  readonly restored: Caller | null;
}

export const nameOf = (cause: Cause): string =>
  'ms' in cause ? `${cause.kind} ${cause.ms / 1000} s` : cause.kind;

/** Breaks something of one person, or of the server, and lets it come back. */
export async function breakIt(stage: ResumeStage, cause: Cause, victim: Caller): Promise<Break> {
  const brokenAt = Date.now();
  switch (cause.kind) {
    case 'reload':
      return { brokenAt, backAt: await victim.reload(), anew: true, restored: victim };
    case 'tab':
      await victim.crashTab();
      return { brokenAt, backAt: await victim.openTab(), anew: true, restored: victim };
    case 'browser':
      await victim.killBrowser();
      return { brokenAt, backAt: await victim.start(), anew: true, restored: victim };
    case 'server':
      return { brokenAt, backAt: await stage.restartServer(), anew: true, restored: null };
    case 'worker':
      return { brokenAt, backAt: stage.killWorkers(), anew: true, restored: null };
    case 'network':
      networkOf(victim).cut();
      await lasts(cause.ms);
      return { brokenAt, backAt: networkOf(victim).heal(), anew: false, restored: null };
    case 'socket':
    case 'media':
      networkOf(victim).drop(cause.kind === 'socket' ? 'signalling' : 'media');
      await lasts(cause.ms);
      return { brokenAt, backAt: networkOf(victim).heal(), anew: false, restored: null };
    default:
      return unreachable(cause);
  }
}

function networkOf({ network, personId }: Caller) {
  if (network === null) throw new Error(`${personId} has no network of their own`);
  return network;
}

function unreachable(cause: never): never {
  throw new Error(`no such cause: ${JSON.stringify(cause)}`);
}
