/** The contract of every provider, kept by the relay with real SIP and real sound. */
import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import { normalise } from '@teleconsult/server/telephony/numbers';
import type { RelayCore, RelayEvent } from '@teleconsult/server/telephony/ports';
import type { Dialog } from '@teleconsult/server/telephony/sip/dialog-api';
import { relayContract } from '../../../contract/relay.suite.ts';
import type { Dialled, RelayUnderTest, ReportOnItsWay } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { Telephone } from '../rtp/telephone.ts';
import { CALLEE_HOST, pickUp, type Stage, startStage, type Talk } from './stage.ts';

/** Reports wait in it while it holds. */
class HoldingCore {
  held: RelayEvent[] | null = null;
  readonly #core: RelayCore;
  readonly #isClosed: () => boolean;

  constructor(core: RelayCore, isClosed: () => boolean) {
    this.#core = core;
    this.#isClosed = isClosed;
  }

  readonly seen: RelayCore = {
    decide: (call) => this.#core.decide(call),
    event: async (event) => {
      if (this.held !== null) this.held.push(event);
      else await this.#core.event(event);
    },
  };

  /** Told, or on its way to be. */
  knowsEndOf(callRef: string, core: { told(callRef: string): { end: string | null } }): boolean {
    const isHeld = this.held?.some((event) => event.callRef === callRef && event.what.type === 'ended');
    return isHeld === true || core.told(callRef).end !== null;
  }

  onItsWay(event: RelayEvent): ReportOnItsWay {
    const send = async (): Promise<boolean> =>
      !this.#isClosed() &&
      this.#core.event(event).then(
        () => true,
        () => false,
      );
    return { send, forgeries: [] };
  }
}

async function underTest(): Promise<RelayUnderTest> {
  await using stack = new AsyncDisposableStack();
  let now = 1_790_000_000_000;
  const cores: HoldingCore[] = [];
  let isClosed = false;
  const stage = stack.use(
    await startStage({
      clock: () => now,
      settings: { timings: { decideMs: 1_000, keepAliveMs: 100, lastWordsMs: 200 } },
      asSeen: (core) => {
        const holding = new HoldingCore(core, () => isClosed);
        cores.push(holding);
        return holding.seen;
      },
    }),
  );
  const [core] = cores;
  if (core === undefined) throw new Error('the relay was not started');
  const { relay } = stage;
  const close = relay.close.bind(relay);
  relay.close = async () => {
    isClosed = true;
    await close();
  };
  let next: 'busy' | 'no_answer' | null = null;
  const owned = stack.move();
  return {
    provider: stage.relay,
    core: stage.core,
    log: stage.log,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    async dial(from, x) {
      const answer = next;
      next = null;
      const dialled = await dial(stage, {
        from,
        x,
        isTold: (callRef) => core.knowsEndOf(callRef, stage.core),
      });
      if (dialled.ringing !== null && answer !== null) dialled.ringing.refuse(answer === 'busy' ? 486 : 480);
      return dialled;
    },
    next: (answer) => {
      next = answer;
    },
    hold: () => {
      core.held ??= [];
    },
    release: () => {
      const held = core.held ?? [];
      core.held = null;
      return held.map((event) => core.onItsWay(event));
    },
    outage: (isDown) => stage.setDown(isDown),
    held: () => null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function dial(
  stage: Stage,
  { from, x, isTold }: { from: PhoneNumber | null; x: PhoneNumber; isTold: (callRef: string) => boolean },
): Promise<Dialled & { ringing: Stage['rung'][number] | null }> {
  const [rung, asked] = [stage.rung.length, stage.core.asked.length];
  const caller = await stage.dial(from, x);
  let refused = false;
  void caller.call.outcome.then(() => {
    refused = true;
  });
  await eventually('it rings, or is turned away', () => refused || stage.rung.length > rung);
  const ringing = stage.rung[rung] ?? null;
  if (ringing !== null) {
    ringing.ringing();
    await eventually('the caller hears it ring', () => refused || caller.rang.length > 0);
  }
  const callRef = stage.core.asked[asked]?.callRef ?? 'none';
  let callee: Talk | null = null;
  const hangUp = async (dialog: Dialog | undefined): Promise<void> => {
    await dialog?.bye();
    await eventually('the call is over', () => isTold(callRef));
  };
  return {
    callRef,
    ringing,
    got: ringing === null ? 'turned_away' : 'ringing',
    rung:
      ringing === null
        ? null
        : {
            to: normalise(ringing.requestUri.user ?? '', 'CN'),
            shows: normalise(ringing.from.uri.user ?? '', 'CN'),
          },
    async answer() {
      if (ringing === null) return;
      callee = await pickUp(ringing, await Telephone.at(CALLEE_HOST));
      await caller.call.outcome;
    },
    async hangUp(by) {
      if (ringing === null) return;
      if (by === 'callee') return hangUp(callee?.dialog);
      const outcome = callee === null ? null : await caller.call.outcome;
      if (outcome?.type === 'answered') return hangUp(outcome.dialog);
      caller.call.cancel();
      await eventually('the call is over', () => isTold(callRef));
    },
  };
}

relayContract('our own relay', underTest);
