import { DEFAULT_PREFERENCES, type DeviceId, type PersonId, type Preferences } from '@teleconsult/protocol';
import { createLog } from '@teleconsult/server/log';
import { Notifier, type NotifierParts } from '@teleconsult/server/notify/notifier';
import type { PushSettings } from '@teleconsult/server/notify/settings';
import type { PushDevice } from '@teleconsult/server/people/people';
import webPush from 'web-push';
import type { Endpoint } from './endpoint.ts';
import type { FakeThreads } from './fake-threads.ts';
import { Subscriber } from './subscriber.ts';

export const SECRET = 'a webhook secret of the tests that is long enough';
const QUICK = { firstMs: 5, mostMs: 40 };

export const pushSettings = (...extraOrigins: string[]): PushSettings => ({
  contact: 'mailto:push@hospital.example',
  ...webPush.generateVAPIDKeys(),
  extraOrigins,
});

/** People with push devices, all of which are connected or not as the test says. */
export class FakePeople {
  readonly devices = new Map<PersonId, PushDevice[]>();
  readonly chosen = new Map<PersonId, Preferences>();
  readonly connected = new Set<string>();
  readonly gone: string[] = [];

  /** A device of the person at this push service, and what opens its pushes. */
  subscribe(personId: PersonId, deviceId: string, endpoint: string): Subscriber {
    const subscriber = new Subscriber();
    const { keys } = subscriber.subscription(endpoint);
    const device = { deviceId: deviceId as DeviceId, createdAt: 1, subscription: { endpoint, ...keys } };
    this.devices.set(personId, [...(this.devices.get(personId) ?? []), device]);
    return subscriber;
  }

  get service(): NotifierParts['peopleService'] {
    return {
      preferences: async (personId) => this.chosen.get(personId) ?? DEFAULT_PREFERENCES,
      pushDevices: async (personId) => this.devices.get(personId) ?? [],
      forgetDevice: async (personId, { deviceId }) => {
        this.gone.push(deviceId);
        const left = (this.devices.get(personId) ?? []).filter((device) => device.deviceId !== deviceId);
        this.devices.set(personId, left);
      },
    };
  }

  get publisher(): NotifierParts['publisher'] {
    return {
      isConnected: (_personId, deviceId) => this.connected.has(deviceId),
      isOnline: (personId) => this.connected.has(personId),
    };
  }
}

export interface Started extends AsyncDisposable {
  readonly notifier: Notifier;
  readonly people: FakePeople;
  readonly logs: string[];
}

export async function startNotifier(
  threads: FakeThreads,
  options: { webhook?: Endpoint; push?: PushSettings; people?: FakePeople; start?: boolean } = {},
): Promise<Started> {
  const { webhook, push = null, people = new FakePeople(), start = true } = options;
  const logs: string[] = [];
  const notifier = new Notifier({
    store: threads.store,
    host: threads.host,
    peopleService: people.service,
    publisher: people.publisher,
    clock: () => threads.now,
    log: createLog({ level: 'info', destination: { write: (line) => void logs.push(line) } }),
    webhook: webhook === undefined ? null : { url: `${webhook.origin}/hook`, secret: SECRET },
    push,
    pace: { webhook: QUICK, push: QUICK, saveMs: 10 },
  });
  if (start) await notifier.start();
  return { notifier, people, logs, [Symbol.asyncDispose]: () => notifier.close() };
}
