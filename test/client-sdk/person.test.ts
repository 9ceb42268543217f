import { AppError, ConsultationId, PersonId } from '@teleconsult/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { enablePush } from '../../client-sdk/push.ts';
import type { Signalling } from '../../client-sdk/requests.ts';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { consultationView, doctor, minted } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';

const KEYS = ['BElX_firstKey-000', 'BElX_secondKey-00'].map((key) => key.slice(0, 16));
const P256DH = 'p'.repeat(87);
const AUTH = 'a'.repeat(22);

/** A browser's push service, as far as a page sees it. */
class FakePush {
  present: PushSubscription | null = null;
  /** What was done, in order. */
  readonly done: string[] = [];
  permission: NotificationPermission = 'granted';
  failure: string | null = null;
  /** A push service that is not reached: the browser waits for this. */
  reached: Promise<void> = Promise.resolve();

  readonly pushManager = {
    getSubscription: async () => this.present,
    subscribe: async ({ applicationServerKey }: PushSubscriptionOptionsInit) => {
      await this.reached;
      if (this.failure !== null) throw new DOMException('', this.failure);
      const key = typeof applicationServerKey === 'string' ? applicationServerKey : 'no string';
      this.done.push(`subscribe ${key}`);
      this.present = this.#subscription(key);
      return this.present;
    },
  };

  install(): ServiceWorkerRegistration {
    const requestPermission = async () => {
      this.done.push('ask');
      return this.permission;
    };
    const Notification = function Notification() {};
    Reflect.set(globalThis, 'Notification', Object.assign(Notification, { requestPermission }));
    return {
      pushManager: this.pushManager,
    } as Partial<ServiceWorkerRegistration> as ServiceWorkerRegistration;
  }

  #subscription(key: string): PushSubscription {
    const endpoint = 'https://push.example.org/1';
    const bytes = Uint8Array.from(atob(key.replaceAll('_', '/').replaceAll('-', '+')), (c) =>
      c.charCodeAt(0),
    );
    const subscription: Partial<PushSubscription> = {
      endpoint,
      expirationTime: null,
      options: { applicationServerKey: bytes.buffer, userVisibleOnly: true },
      toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh: P256DH, auth: AUTH } }),
      unsubscribe: async () => {
        this.done.push(`unsubscribe ${key}`);
        this.present = null;
        return true;
      },
    };
    return subscription as PushSubscription;
  }
}

afterEach(() => void Reflect.deleteProperty(globalThis, 'Notification'));

async function connected() {
  const server = await ScriptedServer.start();
  const client = clientOf(server);
  await client.connect();
  let [publicKey]: readonly string[] = KEYS;
  server.on('push.key', () => ({ publicKey: publicKey ?? '' }));
  server.on('push.subscribe', () => ({}));
  server.on('push.unsubscribe', () => ({}));
  const changeKey = () => {
    publicKey = KEYS[1];
  };
  return { server, client, changeKey };
}

describe('push', () => {
  it('[SDK131] enabling asks, subscribes with the key of the server, and tells it; again uses the same subscription', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    const push = new FakePush();
    const registration = push.install();
    await client.enablePush(registration);
    await client.enablePush(registration);
    expect(push.done).toEqual(['ask', `subscribe ${KEYS[0]}`, 'ask']);
    const subscription = {
      endpoint: 'https://push.example.org/1',
      expirationTime: null,
      keys: { p256dh: P256DH, auth: AUTH },
    };
    expect(server.payloads('push.subscribe')).toEqual([{ subscription }, { subscription }]);
  });

  it('[SDK131] a subscription for another key of the server is replaced', async () => {
    const { server, client, changeKey } = await connected();
    await using _server = server;
    await using _client = client;
    const push = new FakePush();
    const registration = push.install();
    await client.enablePush(registration);
    changeKey();
    await client.enablePush(registration);
    expect(push.done.slice(2)).toEqual(['ask', `unsubscribe ${KEYS[0]}`, `subscribe ${KEYS[1]}`]);
  });

  it('[SDK131] disabling ends it here, also when the server does not hear of it', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    const push = new FakePush();
    const registration = push.install();
    await client.enablePush(registration);
    server.once('push.unsubscribe', () => {
      throw new AppError('STORAGE_UNAVAILABLE');
    });
    expect(await codeOf(client.disablePush(registration))).toBe('STORAGE_UNAVAILABLE');
    expect(push.present).toBeNull();
    await client.disablePush(registration);
    expect(server.payloads('push.unsubscribe').length).toBe(2);
  });

  it('[SDK131] what stands in the way has its code: the person, the browser, the push service, the server', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    const push = new FakePush();
    const registration = push.install();
    push.permission = 'denied';
    expect(await codeOf(client.enablePush(registration))).toBe('PERMISSION_DENIED');
    expect(server.payloads('push.key')).toEqual([]);
    push.permission = 'granted';
    push.failure = 'NotAllowedError';
    expect(await codeOf(client.enablePush(registration))).toBe('PERMISSION_DENIED');
    push.failure = 'AbortError';
    expect(await codeOf(client.enablePush(registration))).toBe('DISCONNECTED');
    push.failure = null;
    server.once('push.key', () => {
      throw new AppError('NOT_CONFIGURED');
    });
    expect(await codeOf(client.enablePush(registration))).toBe('NOT_CONFIGURED');
    Reflect.deleteProperty(globalThis, 'Notification');
    expect(await codeOf(client.enablePush(registration))).toBe('UNSUPPORTED_BROWSER');
    expect(server.payloads('push.subscribe')).toEqual([]);
  });
});

describe('a push service that does not answer', () => {
  it('[SDK131] is given up after twenty seconds, and a subscription that comes after all is ended', async () => {
    vi.useFakeTimers();
    using _ = { [Symbol.dispose]: () => void vi.useRealTimers() };
    const push = new FakePush();
    const registration = push.install();
    const { promise, resolve } = Promise.withResolvers<void>();
    push.reached = promise;
    const asked: string[] = [];
    const request = async (name: string) => {
      asked.push(name);
      return { publicKey: KEYS[0] };
    };
    const signalling = { request } as Partial<Signalling> as Signalling;
    const code = codeOf(enablePush({ signalling, life: new Lifetime() }, registration));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await code).toBe('DISCONNECTED');
    resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(push.present).toBeNull();
    expect(asked).toEqual(['push.key']);
  });
});

describe('what a person asks', () => {
  it('[SDK132] a place is rounded to a hundredth of a degree before it leaves the device, with consent', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    server.on('nearby.show', () => ({ until: 600_000 }));
    expect(await client.showNearby({ latitude: 31.230416, longitude: -121.473701 })).toEqual({
      until: 600_000,
    });
    expect(server.payloads('nearby.show')).toEqual([{ latitude: 31.23, longitude: -121.47, consent: true }]);
  });

  it('[SDK133] preferences, invitations and colleagues are asked for in the words of the protocol', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    const preferences = { readReceipts: false, push: { calls: true, messages: false, consultations: true } };
    server.on('preferences.get', () => ({ preferences }));
    server.on('preferences.set', () => ({ preferences }));
    expect(await client.preferences()).toEqual(preferences);
    expect(await client.setPreferences({ push: { messages: false } })).toEqual(preferences);
    expect(server.payloads('preferences.set')).toEqual([{ push: { messages: false } }]);
    const told = recorded(client.on, 'preferences');
    server.tell('preferences.changed', preferences);
    await eventually(
      () => told,
      ([first]) => first !== undefined,
    );

    const consultation = consultationView();
    const code = 'c'.repeat(32);
    const invitationId = minted('inv');
    server.on('invitation.create', () => ({ invitationId, code, expiresAt: 9 }) as never);
    server.on('invitation.preview', () => ({
      purpose: 'colleague',
      invitedBy: 'B',
      role: null,
      expiresAt: 9,
    }));
    server.on('invitation.redeem', () => ({ consultation }));
    server.on('invitation.revoke', () => ({}));
    server.on('nearby.list', () => ({
      colleagues: [{ personId: PersonId.parse('doctor-2'), displayName: 'C', withinKm: 2 as const }],
    }));
    server.on('nearby.hide', () => ({}));
    server.on('colleague.request', () => ({ consultation }));
    expect(await client.inviteColleague()).toEqual({ invitationId, code, expiresAt: 9 });
    expect(server.payloads('invitation.create')[0]).toMatchObject({ purpose: 'colleague' });
    expect((await client.previewInvitation(code)).invitedBy).toBe('B');
    expect((await client.redeemInvitation(code)).consultationId).toBe(consultation.consultationId);
    await client.revokeInvitation(invitationId);
    expect(await client.listNearby()).toMatchObject([{ displayName: 'C', withinKm: 2 }]);
    await client.hideNearby();
    expect((await client.requestColleague('doctor-2')).phase).toBe('active');
  });

  it('[SDK133] what is done with a consultation is asked for in the words of the protocol', async () => {
    const { server, client } = await connected();
    await using _server = server;
    await using _client = client;
    const thread = new ScriptedThread(server, { phase: 'waiting' });
    const consultation = await client.open(thread.id);
    const changed = recorded(consultation.on, 'changed');
    const consultationId = ConsultationId.parse(thread.id);
    const subject = {
      displayName: 'Child',
      relationship: 'child',
      authorisation: { basis: 'guardian' },
    } as const;
    server.on('consultation.setSubject', () => {
      const authorisation = { ...subject.authorisation };
      thread.view = { ...thread.view, subject: { ...subject, authorisation, authorisedAt: 1 } };
      return { consultation: thread.current };
    });
    server.on('participant.remove', () => ({ consultation: thread.current }));
    server.on(
      'invitation.create',
      () => ({ invitationId: minted('inv'), code: 'c'.repeat(32), expiresAt: 9 }) as never,
    );
    server.on('message.transcribe', () => ({ text: 'good morning' }));
    server.on('consultation.decline', () => {
      thread.view = { ...thread.view, phase: 'ended', endReason: 'declined', declineReason: 'no_time' };
      return { consultation: thread.current };
    });
    await consultation.setSubject(subject);
    await consultation.removeParticipant('relative-1');
    await consultation.invite('interpreter', { validForMs: 60_000 });
    expect(await consultation.transcribe(4, { language: 'zh' })).toBe('good morning');
    await consultation.decline({ reason: 'no_time', note: 'tomorrow' });
    expect(changed.map(({ subject: of, declineReason }) => [of?.displayName, declineReason])).toEqual([
      ['Child', null],
      ['Child', 'no_time'],
    ]);
    expect(server.received.filter(({ name }) => /setSub|remove|create|transc|decline/.test(name))).toEqual([
      { name: 'consultation.setSubject', payload: { consultationId, subject } },
      { name: 'participant.remove', payload: { consultationId, personId: 'relative-1' } },
      {
        name: 'invitation.create',
        payload: { purpose: 'participant', consultationId, role: 'interpreter', validForMs: 60_000 },
      },
      { name: 'message.transcribe', payload: { consultationId, sequence: 4, language: 'zh' } },
      { name: 'consultation.decline', payload: { consultationId, reason: 'no_time', note: 'tomorrow' } },
    ]);
    expect(doctor).toBe(thread.view.participants[1]?.personId);
  });
});
