import type { ConsultationId, ConsultationView, ParticipantRole, PersonId } from '@teleconsult/protocol';
import { language } from '../i18n/language.ts';
import * as ids from './mock-ids.ts';
import { MockPhone } from './mock-phone.ts';
import { type MockThread, words } from './mock-thread.ts';
import type { MockVisit } from './mock-visit.ts';
import { press } from './press.ts';

/** The states of masked phone calls. The names are those of `?scene=`. */
export const PHONE_SCENES = [
  'phone-none',
  'phone-get',
  'phone-always',
  'phone-unrecorded',
  'phone-working',
  'phone-bound',
  'phone-one-way',
  'phone-ringing',
  'phone-talking',
  'phone-other-refused',
  'phone-own-refused',
  'phone-unreachable',
  'phone-of-others',
  'phone-failing',
  'phone-late',
  'phone-ended',
  'phone-waiting',
  'phone-thread',
  'phone-seat',
  'phone-seats',
  'phone-people',
  'phone-own-seat',
] as const;

const HOUR = 3_600_000;
const held = new Map<string, MockPhone>();

/** One for each visit of the scene. */
export function phoneOf(consultationId: string): MockPhone {
  const phone = held.get(consultationId) ?? new MockPhone(consultationId as ConsultationId);
  held.set(consultationId, phone);
  return phone;
}

export const phoneEnds = (scene: string): boolean => scene === 'phone-ended';
export const phoneWaits = (scene: string): boolean => scene === 'phone-waiting';

/** The lines of the thread: every kind, and every end of a call. */
export function writesPhone(scene: string, view: ConsultationView, thread: MockThread): void {
  if (scene !== 'phone-thread') return;
  const [patient = null, doctor = null] = view.participants.map(({ personId }) => personId);
  const bindingId = ids.phoneBindingId();
  const called = (by: PersonId | null, ends: 'completed' | 'no_answer' | 'unbound', talkMs: number): void => {
    const phoneCallId = ids.phoneCallId();
    thread.add({ kind: 'phone.callStarted', bindingId, phoneCallId }, by, 20_000);
    if (talkMs > 0) thread.add({ kind: 'phone.callAnswered', phoneCallId }, null, 6000);
    thread.add({ kind: 'phone.callEnded', phoneCallId, reason: ends, talkMs }, null, talkMs);
  };
  thread.add({ kind: 'phone.bound', bindingId, expiresAt: Date.now() + HOUR }, patient, 20_000);
  called(patient, 'no_answer', 0);
  called(doctor, 'completed', 192_000);
  called(patient, 'unbound', 41_000);
  thread.add({ kind: 'phone.unbound', bindingId, reason: 'refused' }, null, 1000);
  if (patient !== null)
    thread.add({ kind: 'phone.refused', personId: patient, refused: true }, patient, 1000);
}

/** What there is before the page opens its consultation. */
export function preparePhone(scene: string, role: ParticipantRole, visit: MockVisit): void {
  if (!scene.startsWith('phone-') || scene === 'phone-none') return;
  const phone = phoneOf(visit.id);
  const [patient, doctor] = visit.view.participants.map(({ personId }) => personId);
  if (patient === undefined || doctor === undefined) return;
  phone.self = role === 'doctor' ? doctor : patient;
  const other = role === 'doctor' ? patient : doctor;
  const relative = ids.personId('relative-1');
  phone.reaches([patient, doctor, relative], language() === 'en' ? 'Lakeside Clinic' : '湖滨医院');
  const bound = { state: 'bound', number: '+8617000003333' } as const;
  phone.become({
    recording: scene === 'phone-always' ? 'always' : scene === 'phone-unrecorded' ? 'off' : 'ask',
  });
  if (scene === 'phone-working') {
    phone.bindsAfterMs = HOUR;
    phone.add();
  }
  if (scene === 'phone-bound') phone.add({ ...bound, recorded: true });
  if (scene === 'phone-one-way') phone.add({ ...bound, direction: 'doctor_calls' });
  if (scene === 'phone-ringing' || scene === 'phone-talking') phone.add(bound);
  if (scene === 'phone-ringing') phone.calls(other, 'ringing');
  if (scene === 'phone-talking') phone.calls(phone.self, 'talking', Date.now() - 42_000);
  if (scene === 'phone-other-refused') phone.refuses(other, true);
  if (scene === 'phone-own-refused') phone.refuses(phone.self, true);
  if (scene === 'phone-unreachable') phone.become({ reachable: [phone.self] });
  if (scene === 'phone-of-others')
    phone.add({ ...bound, number: null, people: [ids.personId('doctor-2'), other] });
  if (scene === 'phone-failing') phone.refusals.set('bind', 'OVERLOADED');
  if (scene === 'phone-late') phone.refusals.set('load', 'DISCONNECTED');
  if (scene === 'phone-ended')
    phone.add({ state: 'unbound', unboundReason: 'consultation_ended', createdAt: Date.now() - HOUR });
}

/** Plays one of `PHONE_SCENES`; any other name does nothing. */
export async function playPhone(scene: string, visit: MockVisit): Promise<void> {
  if (!PHONE_SCENES.some((known) => known === scene) || scene === 'phone-none') return;
  if (scene === 'phone-thread') return;
  if (['phone-seat', 'phone-seats', 'phone-people', 'phone-own-seat'].includes(scene))
    return playCall(scene, visit);
  if (scene === 'phone-of-others')
    visit.join({
      personId: ids.personId('doctor-2'),
      role: 'doctor',
      displayName: words[language()].interpreter,
    });
  await press('visit-menu');
  await press('menu-phone');
  if (scene === 'phone-failing') await press('phone-get');
}

const BY_PHONE = { state: 'present', phone: true, deviceId: null, cameraOn: false } as const;

async function playCall(scene: string, visit: MockVisit): Promise<void> {
  const text = words[language()];
  const relative = ids.personId('relative-1');
  const colleague = ids.personId('colleague-1');
  if (scene !== 'phone-seat' && scene !== 'phone-own-seat') {
    visit.join({ personId: relative, role: 'relative', displayName: text.relative });
    visit.join({ personId: colleague, role: 'colleague', displayName: text.interpreter });
  }
  const call = visit.ring('video', scene === 'phone-own-seat' ? 'elsewhere' : 'answered');
  call.cameraOn = scene !== 'phone-own-seat';
  await settled(250);
  if (scene === 'phone-own-seat') call.seatOf(call.self, BY_PHONE);
  else call.other(BY_PHONE);
  if (scene === 'phone-seats') {
    call.seatOf(colleague, { cameraOn: true });
    call.seatOf(relative, { state: 'invited', phone: true, deviceId: null });
  }
  if (scene !== 'phone-people') return;
  await press('call-more');
  await press('call-open-people');
}

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
