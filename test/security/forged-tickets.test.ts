import { randomBytes } from 'node:crypto';
import { type CallId, ResumeTicket } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, ticketOf, type Visit } from '../helpers/visit.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** As the design asks for. */
const FORGERIES = 200;

const guessed = () => Array.from(randomBytes(32), (byte) => ALPHABET[byte % ALPHABET.length]).join('');

/** The ticket with one character changed. */
function nearly(ticket: string, n: number): string {
  const at = n % ticket.length;
  const other = ALPHABET[(ALPHABET.indexOf(ticket[at] ?? '0') + 1) % ALPHABET.length] ?? '0';
  return `${ticket.slice(0, at)}${other}${ticket.slice(at + 1)}`;
}

interface Scene extends AsyncDisposable {
  readonly app: TestApp;
  readonly visit: Visit;
  readonly callId: CallId;
  /** What somebody could bring, by what is wrong with it; each connection with what it must be refused with. */
  readonly forgers: Readonly<Record<string, readonly [client: RawClient, code: string]>>;
  readonly tickets: Readonly<Record<string, (n: number) => string | undefined>>;
}

/** A call in which the patient's device has used some tickets, and those who would like its seat. */
async function scene(overrides: Parameters<typeof startTestApp>[0] = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await startTestApp(overrides));
  const visit = stack.use(await startVisit(app));
  const { patient } = peopleOf(visit.view);
  // An earlier call of the two, whose tickets the device still has.
  const first = await startCall(visit);
  const earlier = ticketOf(visit.patient);
  await visit.doctor.request('call.hangUp', { consultationId: visit.id, callId: first });
  const neighbours = stack.use(await startVisit(app));
  await startCall(neighbours);
  const callId = await startCall(visit);
  const used = [ticketOf(visit.patient)];
  for (let n = 0; n < 4; n += 1) {
    used.push((await joinSeat(visit.patient, { consultationId: visit.id, callId })).resumeTicket);
  }
  const [current, former] = [used.pop() ?? '', used.pop() ?? ''];
  const connect = async (person: string, deviceId?: string) =>
    stack.use(await RawClient.connect(app.origin, personToken(person), deviceId ? { deviceId } : {}));
  const tablet = await connect(patient);
  const stranger = await connect('somebody-else', visit.patient.deviceId);
  const owned = stack.move();
  return {
    app,
    visit,
    callId,
    forgers: {
      'the device itself': [visit.patient, 'RESUME_REFUSED'],
      'another device of the person': [tablet, 'RESUME_REFUSED'],
      'the other person': [visit.doctor, 'RESUME_REFUSED'],
      'a neighbour': [neighbours.patient, 'NOT_FOUND'],
      'a stranger who names the device': [stranger, 'NOT_FOUND'],
    },
    tickets: {
      none: () => undefined,
      guessed,
      nearly: (n) => nearly(current, n),
      'nearly the former': (n) => nearly(former, n),
      used: (n) => used[n % used.length],
      'of an earlier call': () => earlier,
      'of another call': () => ticketOf(neighbours.patient),
      stolen: () => current,
      'stolen, and former': () => former,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What must not change: the seat as people see it, its media, its thread, and what its devices were told. */
async function standing({ app, visit }: Scene) {
  const { call, entries, consultation } = await visit.doctor.request('consultation.watch', {
    consultationId: visit.id,
  });
  const told = [visit.patient, visit.doctor].map(({ facts }) =>
    facts.filter(({ name }) => /^(call|seat|entry|session)\./.test(name)),
  );
  const rooms = app.sfu.rooms.map(({ seats }) => [...seats.values()]);
  const { lastSequence } = consultation;
  return { call, entries, lastSequence, told: told.map(({ length }) => length), media: rooms.flat() };
}

/** Sends the forgeries and says what was not as it must be. An empty list is the claim. */
async function complaintsOf(on: Scene, { takeOver }: { takeOver: boolean }): Promise<string[]> {
  const complaints = new Set<string>();
  const before = await standing(on);
  const answers = new Map<string, string>();
  const pairs = Object.entries(on.forgers).flatMap(([who, forger]) =>
    Object.entries(on.tickets).map(([what, ticket]) => ({ who, forger, what, ticket })),
  );
  // What the device itself may bring is no forgery.
  const forged = pairs.filter(({ who, what }) => who !== 'the device itself' || !what.startsWith('stolen'));
  for (let n = 0; n < FORGERIES; n += 1) {
    const one = forged[n % forged.length];
    if (one === undefined) throw new Error('nobody forges');
    const [client, code] = one.forger;
    const resumeTicket = one.ticket(n);
    const call = { consultationId: on.visit.id, callId: on.callId };
    const reply = await client.emit('seat.join', {
      ...call,
      takeOver,
      ...(resumeTicket !== undefined && { resumeTicket }),
    });
    if (reply.ok) {
      complaints.add(`${one.who}, ticket ${one.what}: was answered`);
      continue;
    }
    const { requestId: _requestId, ...error } = reply.error;
    if (error.code !== code) complaints.add(`${one.who}, ticket ${one.what}: ${error.code}`);
    const answer = JSON.stringify(error);
    if ((answers.get(code) ?? answer) !== answer) complaints.add(`${code} says which ticket was wrong`);
    answers.set(code, answer);
  }
  const after = await standing(on);
  if (
    after.media.some((seat, index) => seat !== before.media[index]) ||
    after.media.length !== before.media.length
  )
    complaints.add('media was touched');
  for (const what of ['call', 'entries', 'lastSequence', 'told'] as const)
    if (JSON.stringify(after[what]) !== JSON.stringify(before[what])) complaints.add(`${what} changed`);
  return [...complaints];
}

test(`[R5] [SEAT32] of ${FORGERIES} forged, used, stolen and foreign tickets none opens a seat, touches its media or is told to anybody`, async () => {
  await using on = await scene();
  expect(await complaintsOf(on, { takeOver: false })).toEqual([]);
  const { visit, callId, app } = on;
  for (const client of [visit.patient, visit.doctor]) expect(client.socket.connected).toBe(true);
  // The device whose seat it is takes it again with what it has.
  const { call } = await joinSeat(visit.patient, { consultationId: visit.id, callId });
  expect(call.seats.map(({ state }) => state)).toEqual(['present', 'present']);
  expect(app.logs.join('\n')).not.toContain(ticketOf(visit.patient));
});

test('[R5] [SEAT32] a ticket that is none is refused before anything is looked at, in a seat that waits and in one that was lost, too', async () => {
  await using on = await scene();
  const { app, visit, callId } = on;
  const ref = { consultationId: visit.id, callId };
  const ticket = ticketOf(visit.patient);
  for (const resumeTicket of [
    '',
    'short',
    `${ticket}0`,
    `${ticket.slice(1)}!`,
    7,
    null,
    [ticket],
    { ticket },
  ]) {
    const reply = await visit.patient.emit('seat.join', { ...ref, resumeTicket });
    expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID' } });
    expect(JSON.stringify(reply)).not.toContain(ticket.slice(1));
  }
  const { patient } = peopleOf(visit.view);
  visit.patient.socket.disconnect();
  await using tablet = await RawClient.connect(app.origin, personToken(patient));
  for (const state of ['reconnecting', 'left'] as const) {
    await visit.doctor.fact(
      'call.changed',
      (call) => call.callId === callId && call.seats.some((seat) => seat.state === state),
    );
    for (const resumeTicket of [ticket, ResumeTicket.parse(guessed())])
      await expect(tablet.request('seat.join', { ...ref, resumeTicket })).rejects.toThrow('RESUME_REFUSED');
    app.advance(61_000);
  }
});

test('[R5 sabotage] [SEAT32] a server that asks for no ticket is noticed', async () => {
  await using on = await scene();
  const found = await complaintsOf(on, { takeOver: true });
  expect(found).toContain('the device itself, ticket guessed: was answered');
  expect(found).toContain('another device of the person, ticket stolen: was answered');
  expect(found).toEqual(expect.arrayContaining(['media was touched', 'call changed', 'told changed']));
});

test('[R5 sabotage] [SEAT32] a server that never gives a new ticket is noticed', async () => {
  const always = ResumeTicket.parse('0'.repeat(32));
  await using on = await scene({ ids: { ...randomIds, resumeTicket: () => always } });
  const found = await complaintsOf(on, { takeOver: false });
  expect(found).toContain('the device itself, ticket used: was answered');
});
