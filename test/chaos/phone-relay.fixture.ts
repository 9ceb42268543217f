/** The embedded relay in a process of its own, which the test kills. What it tells the bindings is said on a line. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedRelay } from '@teleconsult/server/telephony/embedded/embedded-relay';
import type { RelaySettings } from '@teleconsult/server/telephony/embedded/settings';
import type { RelayCore } from '@teleconsult/server/telephony/ports';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { newBindingId, newPhoneCallId } from '../contract/relay.core.ts';
import { ANN, BOB, X } from '../contract/relay.under-test.ts';

const [folder = '', settings = ''] = process.argv.slice(2);
const say = (what: unknown): void => void writeSync(1, `${JSON.stringify(what)}\n`);

const core: RelayCore = {
  decide: async ({ from }) => ({
    do: 'bridge',
    bindingId: newBindingId(),
    phoneCallId: newPhoneCallId(),
    caller: from === ANN ? 'a' : 'b',
    to: from === ANN ? BOB : ANN,
    showAs: X,
    language: 'zh',
    recorded: false,
    ringMs: 60_000,
    maxTalkMs: 600_000,
  }),
  event: async (event) => say({ event }),
};

const { relay: relaySettings, destinations } = JSON.parse(settings) as {
  relay: Omit<RelaySettings, 'destinations'>;
  destinations: { allowed: string[]; denied: string[]; lines: string[] };
};
const keys = await openLocalKeyFile({ path: join(folder, 'keys.json'), mayCreate: true, now: 0 });
const relay = new EmbeddedRelay({
  settings: {
    ...relaySettings,
    destinations: { ...destinations, lines: new Set(['MOBILE'] as const) },
  },
  openTape: null,
  vault: new Vault(keys),
  folder: join(folder, 'calls'),
  log: { info: () => undefined, warn: () => undefined, error: (step) => say({ error: step }) },
  clock: Date.now,
});
await relay.start(core);
const { legs } = relay;
/** Nothing is on its way to the disk any more. */
function saySettled(): void {
  if (relay.figures().unwritten === 0) say({ settled: true });
  else setImmediate(saySettled);
}
process.on('message', (message) => {
  if (message === 'settle') return saySettled();
  if (message !== 'leg') return;
  void legs
    .dialOut({ to: ANN, showAs: X, language: 'zh', ringMs: 60_000, maxTalkMs: 600_000 })
    .then((leg) => leg.answered)
    .then((answered) => say({ answered }));
});
say({ listening: relay.port });
