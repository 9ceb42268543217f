import { expect, test } from 'vitest';
import { runLoad } from '../server/telephony/embedded/load.ts';

const CALLS = 100;
const SECONDS = 10;

test('[RLY72] a hundred recorded calls at once lose no packet of sound', async () => {
  const result = await runLoad({ calls: CALLS, seconds: SECONDS, recorded: true });
  expect(result.connected).toBe(CALLS);
  expect(result.sent).toBe(CALLS * 2 * SECONDS * 50);
  // What arrives at the relay leaves it: counted by the relay itself, and by the telephones.
  expect({ received: result.received, dropped: result.relay.dropped, lost: result.relay.lost }).toEqual({
    received: result.sent,
    dropped: 0,
    lost: 0,
  });
  expect(result.relay.in).toBe(result.sent);
  expect(result.tapedSeconds).toBeGreaterThan(CALLS * (SECONDS - 1));
}, 120_000);
