/** Places that somebody names as theirs, which are nobody's or ours. */
import { SourceGate } from '@teleconsult/server/telephony/rtp/source-gate';
import { expect, test } from 'vitest';
import { RELAY, startMedia, startPhoneCall } from './phone-call.ts';

test.each(['signalled', 'first'] as const)(
  '[RLY80] sound from port 0 is not believed by a leg that takes it from %s, and moves nothing',
  (mode) => {
    const gate = new SourceGate(mode, 5_000);
    gate.signal({ host: '192.0.2.7', port: 4_000 }, 0);
    expect(gate.accepts('192.0.2.7', 0, 10)).toBe(false);
    expect(gate.destination).toEqual({ host: '192.0.2.7', port: 4_000 });
    expect(gate.accepts('192.0.2.7', 4_002, 20)).toBe(true);
    // Long silent, so that another port of the host would be believed.
    expect(gate.accepts('192.0.2.7', 0, 60_000)).toBe(false);
    expect(gate.destination).toEqual({ host: '192.0.2.7', port: 4_002 });
  },
);

test('[RLY88] no call of ours can be made to talk into another one of ours', async () => {
  await using owned = await startMedia();
  await using one = await startPhoneCall(owned.media);
  await using other = await startPhoneCall(owned.media);
  for (const host of [RELAY.a, RELAY.b])
    for (const port of [other.session.ports.a, other.session.ports.b, one.session.ports.a + 1])
      expect(() => one.session.setRemote('a', one.a.remote({ host, port }))).toThrow(RangeError);
  // What else runs on this machine may be a telephone, as an exchange of the clinic is.
  one.session.setRemote('a', one.a.remote({ host: RELAY.a, port: 9 }));
});
