import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { DEFAULT_PHONE_SETTINGS, type PhoneSettings } from '@teleconsult/server/telephony/bindings/settings';
import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import { type MaskedCallsParts, maskedCalls } from '@teleconsult/server/telephony/masked-calls';
import { isPhoneNumber, type PhoneNumber } from '@teleconsult/server/telephony/numbers';
import type { Telephones } from '@teleconsult/server/telephony/party/ports';
import type { PhoneRecording } from '@teleconsult/server/telephony/phone-desk';
import type { Telephony } from '@teleconsult/server/telephony/telephony';
import type { Vault } from '@teleconsult/server/vault/vault';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken } from '../../helpers/test-tokens.ts';
import type { Visit } from '../../helpers/visit.ts';
import { call } from '../http/rest-client.ts';

export const numberOf = (text: string): PhoneNumber => {
  if (!isPhoneNumber(text)) throw new Error('no number');
  return text;
};

export const DOCTOR = numberOf('+8613800001111');
export const PATIENT = numberOf('+8613900002222');
export const RELAYS = ['+8617000003333', '+8617000004444'].map(numberOf);

export interface PhoneStage extends AsyncDisposable {
  readonly app: TestApp;
  readonly relay: FakeRelayProvider;
  readonly store: MemoryPhone;
  /** Says where both can be phoned. */
  number(visit: Visit): Promise<void>;
}

export interface StageOptions {
  readonly settings?: Partial<PhoneSettings>;
  readonly recording?: PhoneRecording;
  readonly legs?: MaskedCallsParts['legs'];
  readonly webhooks?: Telephony['webhooks'];
  /** Rings telephones for calls of visits. */
  readonly telephones?: Telephones;
  /** Doctors who are in a call are rung for a second one. */
  readonly callWaiting?: boolean;
}

/** A whole server with masked calls through a scripted provider. */
export async function startPhoneStage(options: StageOptions = {}): Promise<PhoneStage> {
  const relay = new FakeRelayProvider();
  const { legs = null, webhooks, telephones } = options;
  // The fake needs no reports; those of a test arrive as a provider’s do.
  if (webhooks !== undefined) Object.assign(relay, { webhooks });
  const store = new MemoryPhone();
  const secrets = new Map<string, Uint8Array>();
  // Sealing of its one record is the vault's own concern; here it only has to come back.
  const vault: Pick<Vault, 'sealRecord' | 'openRecord'> = {
    sealRecord: async (plain) => {
      const name = Buffer.from(`sealed-${secrets.size}`);
      secrets.set(name.toString(), Uint8Array.from(plain));
      return name;
    },
    openRecord: async (sealed) => Buffer.from(secrets.get(Buffer.from(sealed).toString()) ?? []),
  };
  const open = maskedCalls({
    settings: {
      ...DEFAULT_PHONE_SETTINGS,
      label: 'Clinic',
      relays: { [relay.name]: RELAYS },
      tickMs: 50,
      ...options.settings,
    },
    recording: options.recording ?? 'ask',
    store,
    vault,
    ids: randomIds,
    clock: Date.now,
    log: createLog({ level: 'silent' }),
    recordings: null,
    providers: () => (telephones === undefined ? [relay] : { providers: [relay], telephones }),
    legs,
  });
  const app = await startTestApp({
    telephony: open,
    ...(options.callWaiting === undefined ? {} : { callWaiting: options.callWaiting }),
  });
  return {
    app,
    relay,
    store,
    async number({ view }) {
      const people = peopleOf(view);
      for (const [personId, number] of [
        [people.doctor, '138 0000 1111'],
        [people.patient, PATIENT],
      ] as const) {
        const path = `/v1/people/${personId}/phone-number` as const;
        const { status } = await call(app, `PUT ${path}`, { token: hostToken(), body: { number } });
        if (status !== 204) throw new Error(`the number was answered ${status}`);
      }
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
