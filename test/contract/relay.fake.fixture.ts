import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import type { RelayCore } from '@teleconsult/server/telephony/ports';
import { ScriptedCore } from './relay.core.ts';
import { OTHER_X, type RelayUnderTest, WrittenLog, X } from './relay.under-test.ts';

/** The fake under the contract. @param asSeen puts something between it and the core, to break a promise */
export async function fakeUnderTest(
  routing: 'server' | 'provider',
  asSeen: (core: RelayCore) => RelayCore = (core) => core,
): Promise<RelayUnderTest> {
  let now = 1_790_000_000_000;
  const clock = (): number => now;
  const core = new ScriptedCore(clock);
  const provider = new FakeRelayProvider({
    routing,
    clock,
    decideTimeoutMs: 1_000,
    ...(routing === 'provider' ? { numbers: [X, OTHER_X] } : {}),
  });
  await provider.start(asSeen(core));
  return {
    provider,
    core,
    log: new WrittenLog(),
    now: clock,
    advance: (ms) => {
      now += ms;
    },
    dial: async (from, x) => {
      const call = await provider.call({ from, x });
      const { state } = call;
      return {
        callRef: call.callRef,
        got: state.is === 'turned_away' ? 'turned_away' : 'ringing',
        rung: 'bridge' in state ? { to: state.bridge.to, shows: state.bridge.showAs } : null,
        answer: () => call.answer(),
        hangUp: (by) => call.hangUp(by),
      };
    },
    next: (answer) => provider.next(answer),
    hold: () => provider.hold(),
    release: () =>
      provider.release().map((report) => ({
        send: () =>
          report.send().then(
            () => true,
            () => false,
          ),
        forgeries: [],
      })),
    outage: (isDown) => (isDown ? provider.fails('unavailable', 100) : provider.recovers()),
    held: () => provider.bindings.length,
    [Symbol.asyncDispose]: () => provider.close(),
  };
}
