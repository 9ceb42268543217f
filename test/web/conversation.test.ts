import { type Participant, Participant as ParticipantSchema, ThreadMarks } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { deliveryOf } from '../../web/state/delivery.ts';
import { snippet } from '../../web/state/highlight.ts';
import { invitationIn, invitationLink } from '../../web/state/invitation-link.ts';
import { modulesOf } from '../../web/state/invitation-picture.ts';
import { waitMinutes } from '../../web/state/wait.ts';
import { FITTED, kept, MAX_SCALE, zoomedAt } from '../../web/state/zoom.ts';

const person = (personId: string, role: string): Participant =>
  ParticipantSchema.parse({ personId, role, displayName: personId.toUpperCase() });
const marks = (personId: string, delivered: number, read: number | null) =>
  ThreadMarks.parse({ personId, delivered, read });

describe('how far a message has come', () => {
  const [me, doctor, relative] = [
    person('me', 'patient'),
    person('doc', 'doctor'),
    person('rel', 'relative'),
  ];
  const ask = (participants: readonly Participant[], ...known: ReturnType<typeof marks>[]) =>
    deliveryOf({ sequence: 7, self: me.personId, participants, marks: known });

  it('[WEB16] is sent, then delivered, then read; reading is more than receiving', () => {
    expect(ask([me, doctor]).state).toBe('sent');
    expect(ask([me, doctor], marks('doc', 6, 6)).state).toBe('sent');
    expect(ask([me, doctor], marks('doc', 7, 3)).state).toBe('delivered');
    expect(ask([me, doctor], marks('doc', 0, 7)).state).toBe('read');
  });

  it('[WEB16] a person who keeps their reading to themselves has at most received it', () => {
    expect(ask([me, doctor], marks('doc', 9, null)).state).toBe('delivered');
  });

  it('[WEB16] among several it counts what all of them have, and says who', () => {
    const delivery = ask([me, doctor, relative], marks('doc', 9, 9), marks('rel', 8, 2));
    expect(delivery.state).toBe('delivered');
    expect(delivery.read.map(({ displayName }) => displayName)).toEqual(['DOC']);
    expect(delivery.delivered).toHaveLength(2);
    expect(ask([me], marks('me', 9, 9)).state).toBe('sent');
  });
});

describe('search results', () => {
  const marked = (text: string, query: string) =>
    snippet(text, query)
      .map((piece) => (piece.isMatch ? `[${piece.text}]` : piece.text))
      .join('');

  it('[WEB17] mark every match, of any case and width', () => {
    expect(marked('Rash on the arm, RASH on the leg', 'rash')).toBe('[Rash] on the arm, [RASH] on the leg');
    expect(marked('体温３８度', '38')).toBe('体温[３８]度');
    expect(marked('上周刚换了洗衣粉', '洗衣粉')).toBe('上周刚换了[洗衣粉]');
  });

  it('[WEB17] show the surroundings of the first match of a long text', () => {
    const shown = marked(`${'before '.repeat(60)}needle${' after'.repeat(60)}`, 'needle');
    expect(shown).toMatch(/^….{1,40}\[needle\] after/);
    expect(shown.length).toBeLessThan(240);
    expect(marked('nothing here', 'needle')).toBe('nothing here');
  });
});

describe('invitations', () => {
  const code = 'A1b2C3d4E5f6G7h8J9k0L1m2N3p4Q5r6';

  it('[WEB18] the code stands in the fragment, which no server sees; doctors open the doctor’s page', () => {
    const link = new URL(invitationLink('https://visit.example.org', 'relative', code));
    expect([link.pathname, link.search, link.hash]).toEqual(['/patient', '', `#invite=${code}`]);
    expect(new URL(invitationLink('https://visit.example.org', 'colleague', code)).pathname).toBe('/doctor');
    expect(invitationIn(link.hash)).toBe(code);
    expect(invitationIn(`#token=a.b.c&invite=${code}`)).toBe(code);
  });

  it('[WEB18] anything that is no code is ignored', () => {
    for (const fragment of [
      '',
      '#invite=',
      '#invite=short',
      `#invite=${code}x`,
      '#invite=../../../../etc/passwd00000000000',
    ])
      expect(invitationIn(fragment), fragment).toBeNull();
  });

  it('[WEB18] the QR code is square, with the quiet zone that scanners need', () => {
    const modules = modulesOf(invitationLink('https://visit.example.org', 'relative', code));
    expect(modules.length).toBeGreaterThan(25);
    expect(new Set(modules.map(({ length }) => length))).toEqual(new Set([modules.length]));
    expect([0, 1, 2, 3].every((row) => modules[row]?.every((isDark) => !isDark))).toBe(true);
    expect(modules[4]?.slice(4, 11)).toEqual(Array(7).fill(true));
  });
});

it('[WEB19] an expected wait is rounded up, the coarser the longer it is', () => {
  expect([0, 30_000, 61_000, 9.4 * 60_000, 10 * 60_000, 11 * 60_000, 47 * 60_000].map(waitMinutes)).toEqual([
    0, 1, 2, 10, 10, 15, 50,
  ]);
});

describe('a picture in its room', () => {
  const [picture, room] = [
    { width: 400, height: 300 },
    { width: 400, height: 600 },
  ];

  it('[WEB20] stays under the finger while its size changes', () => {
    const at = { x: 80, y: -20 };
    const zoom = zoomedAt(FITTED, 2, at);
    // The point of the picture that was at the finger: (at - offset) / scale does not change.
    expect((at.x - zoom.x) / zoom.scale).toBeCloseTo(at.x);
    expect((at.y - zoom.y) / zoom.scale).toBeCloseTo(at.y);
  });

  it('[WEB20] is never smaller than fitted, never larger than its bound, and leaves no edge empty', () => {
    expect(zoomedAt(FITTED, 0.1, { x: 5, y: 5 }).scale).toBe(1);
    expect(zoomedAt(FITTED, 100, { x: 5, y: 5 }).scale).toBe(MAX_SCALE);
    expect(kept({ scale: 1, x: 90, y: 90 }, picture, room)).toEqual(FITTED);
    // Twice as wide as the room, exactly as high: it moves sideways only.
    expect(kept({ scale: 2, x: 999, y: 999 }, picture, room)).toEqual({ scale: 2, x: 200, y: 0 });
  });
});
