import { createFakeSfu, type FakeSfu, SfuError, type SfuRoom } from '@teleconsult/media';
import {
  AppError,
  CallId,
  ConsultationId,
  type ConsultationView,
  PersonId,
  PhoneCallId,
  RecordingId,
} from '@teleconsult/protocol';
import type { PhoneSeatEvent } from '@teleconsult/server/consultation/commands';
import type { PhoneEffect } from '@teleconsult/server/consultation/phone-state';
import type { LogFields } from '@teleconsult/server/host/ports';
import { randomPhoneIds } from '@teleconsult/server/telephony/bindings/random-phone-ids';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { type FakeTelephone, FakeTelephones } from '@teleconsult/server/telephony/party/fake-telephones';
import { PhoneParties, type PhonePartiesParts } from '@teleconsult/server/telephony/party/phone-parties';
import type { Reachable } from '@teleconsult/server/telephony/party/ports';
import { eventually } from '../../../helpers/eventually.ts';
import { numberOf } from '../desk-stage.ts';

export const PATIENT = PersonId.parse('patient');
export const visit = ConsultationId.parse(`cns_${'V'.repeat(22)}`);
export const call = CallId.parse(`cal_${'C'.repeat(22)}`);
export const recording = RecordingId.parse(`rec_${'R'.repeat(22)}`);
export const TELEPHONE: Reachable = {
  to: numberOf('+8613900002222'),
  showAs: numberOf('+8617000003333'),
};
const phoneCall = (number: number) => PhoneCallId.parse(`pcl_${String(number).padStart(22, '0')}`);

export interface PartyStage extends AsyncDisposable {
  readonly parties: PhoneParties;
  readonly telephones: FakeTelephones;
  readonly sfu: FakeSfu;
  /** What the call was told, oldest first. */
  readonly told: PhoneSeatEvent[];
  readonly logged: { readonly step: string; readonly fields: LogFields }[];
  readonly state: {
    phase: ConsultationView['phase'];
    reachable: Reachable | null;
    /** False: the call says that it took a telephone, and nobody is told so. */
    takesDialIns: boolean;
    /** Thrown at whoever tells or dials in, once each. */
    readonly refusals: Error[];
  };
  readonly place: {
    readonly callId: typeof call;
    readonly personId: typeof PATIENT;
    readonly phoneCallId: PhoneCallId;
  };
  carryOut(effect: PhoneEffect, id?: typeof visit): void;
  /** Rings the next telephone, of this person. */
  ring(personId?: PersonId): Promise<FakeTelephone>;
  /** A telephone whose person is in the call. */
  talking(): Promise<FakeTelephone>;
  /** The seat of the telephone in the newest room; null: there is none. */
  seat(): { readonly paused: boolean; fail(): void } | null;
}

export async function openPartyStage(change: Partial<PhonePartiesParts> = {}): Promise<PartyStage> {
  await using parts = new AsyncDisposableStack();
  const sfu = parts.adopt(createFakeSfu(), (opened) => opened.close());
  const telephones = new FakeTelephones();
  const told: PhoneSeatEvent[] = [];
  const logged: PartyStage['logged'] = [];
  const note =
    () =>
    (step: string, fields: LogFields = {}): void =>
      void logged.push({ step, fields });
  const state: PartyStage['state'] = {
    phase: 'active',
    reachable: TELEPHONE,
    takesDialIns: true,
    refusals: [],
  };
  let room: SfuRoom | null = null;
  let count = 0;
  let newest: PartyStage['place'] = { callId: call, personId: PATIENT, phoneCallId: phoneCall(0) };
  const parties: PhoneParties = parts.adopt(
    new PhoneParties({
      telephones,
      book: { telephoneOf: async () => state.reachable },
      calls: {
        tell: async (_id, event) => {
          const refusal = state.refusals.shift();
          if (refusal !== undefined) throw refusal;
          told.push(event);
        },
        dialIn: async (id, place) => {
          const refusal = state.refusals.shift();
          if (refusal !== undefined) throw refusal;
          newest = place;
          if (state.takesDialIns)
            parties.carryOut(id, { type: 'phone.ring', ...place, until: Date.now() + 30_000 });
        },
      },
      rooms: {
        joinPhone: async ({ personId }, options) => {
          try {
            if (room === null || room.closed) room = await sfu.openRoom({ onClosed: () => undefined });
            return await room.openPhoneSeat({ ...options, seatId: personId });
          } catch (cause) {
            if (cause instanceof SfuError) throw new AppError('MEDIA_UNAVAILABLE', { cause });
            throw cause;
          }
        },
      },
      view: async () => ({ phase: state.phase }) as Partial<ConsultationView> as ConsultationView,
      settings: DEFAULT_PHONE_SETTINGS,
      ids: randomPhoneIds,
      clock: Date.now,
      log: { info: note(), warn: note(), error: note() },
      answerWithinMs: 50,
      ...change,
    }),
    (opened) => opened.close(),
  );
  const stage = {
    parties,
    telephones,
    sfu,
    told,
    logged,
    state,
    get place() {
      return newest;
    },
    carryOut: (effect: PhoneEffect, id = visit) => parties.carryOut(id, effect),
    async ring(personId = PATIENT) {
      const before = telephones.rung.length;
      count += 1;
      newest = { callId: call, personId, phoneCallId: phoneCall(count) };
      stage.carryOut({ type: 'phone.ring', ...newest, until: Date.now() + 30_000 });
      return eventually('a telephone that rings', () => telephones.rung[before]);
    },
    async talking() {
      const telephone = await stage.ring();
      telephone.answer();
      await eventually('sound of it in the room', () => telephone.isBridged);
      return telephone;
    },
    seat() {
      const phone = sfu.rooms.at(-1)?.phones.get(PATIENT);
      return phone === undefined ? null : { paused: phone.track.paused, fail: () => phone.fail() };
    },
  };
  const owned = parts.move();
  return Object.assign(stage, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}
