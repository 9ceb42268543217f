import type {
  CallId,
  CallMedia,
  ConsultationId,
  ConsultationView,
  RequestInput,
  RequestResult,
  ResumeTicket,
} from '@teleconsult/protocol';
import { RawClient } from './raw-client.ts';
import { peopleOf, type TestApp } from './test-app.ts';
import { personToken } from './test-tokens.ts';

export interface Visit extends AsyncDisposable {
  readonly view: ConsultationView;
  readonly id: ConsultationId;
  readonly patient: RawClient;
  readonly doctor: RawClient;
}

/** A new consultation with both people connected and following; begun unless told otherwise. */
export async function startVisit(
  app: Pick<TestApp, 'origin' | 'createConsultation'>,
  options: { active?: boolean } = {},
): Promise<Visit> {
  await using stack = new AsyncDisposableStack();
  const view = await app.createConsultation();
  const people = peopleOf(view);
  const id = view.consultationId;
  const patient = stack.use(await RawClient.connect(app.origin, personToken(people.patient)));
  const doctor = stack.use(await RawClient.connect(app.origin, personToken(people.doctor)));
  for (const client of [patient, doctor]) await client.request('consultation.watch', { consultationId: id });
  if (options.active !== false) {
    await patient.request('consultation.enter', { consultationId: id });
    await doctor.request('consultation.accept', { consultationId: id });
  }
  const owned = stack.move();
  return { view, id, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Both in a running call, seats joined. */
export async function startCall({ id, patient, doctor }: Visit, media: CallMedia = 'video') {
  const { call } = await doctor.request('call.start', { consultationId: id, media });
  await patient.fact('call.changed', ({ state }) => state === 'ringing');
  await patient.request('call.accept', { consultationId: id, callId: call.callId });
  for (const client of [doctor, patient]) await joinSeat(client, { consultationId: id, callId: call.callId });
  return call.callId;
}

/** The newest ticket of each connection; a device that connects anew brings the one of its former connection. */
const tickets = new WeakMap<RawClient, ResumeTicket>();

export function ticketOf(client: RawClient): ResumeTicket {
  const ticket = tickets.get(client);
  if (ticket === undefined) throw new Error('this connection has joined no seat');
  return ticket;
}

/** Joins with the ticket that this connection was given last, as the SDK does. */
export async function joinSeat(
  client: RawClient,
  payload: RequestInput<'seat.join'>,
): Promise<RequestResult<'seat.join'>> {
  const resumeTicket = tickets.get(client);
  const joined = await client.request('seat.join', { ...(resumeTicket && { resumeTicket }), ...payload });
  tickets.set(client, joined.resumeTicket);
  return joined;
}

/** Takes the seat over with this device, whichever holds it. */
export const takeOverSeat = (client: RawClient, call: { consultationId: ConsultationId; callId: CallId }) =>
  joinSeat(client, { ...call, takeOver: true });

export const textDraft = (text: string) => ({ type: 'text' as const, text });
