import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { startTestApp } from '../helpers/test-app.ts';
import { namedToken } from '../helpers/test-tokens.ts';
import { textDraft } from '../helpers/visit.ts';
import { startEndpoint } from '../server/notify/endpoint.ts';
import { pushSettings } from '../server/notify/started-notifier.ts';
import { Subscriber } from '../server/notify/subscriber.ts';
import { DESK, Person, PHONE } from './browser.ts';
import { CHEN, choose, createVisit, LIN, linkTo, seriousFindings, WANG, WEB_DIR, watched } from './pages.ts';
import { launchProfile } from './profile.ts';
import { PushWorker } from './push-worker.ts';

/** A server with a push service beside it, and a profile that allows notices. */
async function begin(look: { viewport: { width: number; height: number }; locale?: string }) {
  await using stack = new AsyncDisposableStack();
  const service = stack.use(await startEndpoint());
  const app = stack.use(await startTestApp({ webDir: WEB_DIR, push: pushSettings(service.origin) }));
  const folder = stack.use(await tempDir());
  const profile = stack.use(await launchProfile(folder.path, look));
  await profile.grantPermissions(['notifications'], { origin: app.origin });
  const subscriber = new Subscriber();
  const owned = stack.move();
  return {
    service,
    app,
    profile,
    subscriber,
    pushes: () => service.received.map((received) => subscriber.open(received)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs in the page before anything else: a browser whose push service is the test's. */
function subscribeTo(json: PushSubscriptionJSON): void {
  let subscription: unknown = null;
  const subscribe = async ({ applicationServerKey }: PushSubscriptionOptionsInit): Promise<unknown> => {
    if (typeof applicationServerKey !== 'string') throw new TypeError('no key as text');
    const base64 = applicationServerKey.replaceAll('-', '+').replaceAll('_', '/');
    const key = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
    subscription = {
      endpoint: json.endpoint,
      expirationTime: null,
      options: { userVisibleOnly: true, applicationServerKey: key },
      toJSON: () => json,
      unsubscribe: async () => {
        subscription = null;
        return true;
      },
    };
    return subscription;
  };
  Object.assign(PushManager.prototype, { subscribe, getSubscription: async () => subscription });
}

// Debian's Chromium has no keys for Google's push service, and here is no network: it asks and asks.
test('[WEB96] where the browser does not reach its push service the page says so, and the switch stays off', async () => {
  await using stage = await begin(PHONE);
  const { consultationId } = await createVisit(stage.app.origin, LIN, CHEN);
  const patient = await Person.inProfile(
    stage.profile,
    linkTo(stage.app.origin, { page: 'patient', person: LIN, consultationId }),
  );
  await watched({ patient }, async () => {
    await choose(patient, 'settings');
    await patient.byId('setting-push').click();
    await patient.page.locator('[data-testid="push-state"][data-state="unreachable"]').waitFor();
    expect(await patient.byId('setting-push').isChecked()).toBe(false);
    expect(await patient.byId('setting-push').isEnabled()).toBe(true);
    expect(await patient.page.evaluate(() => Notification.permission)).toBe('granted');
    await patient.screenshot('push-fails-phone-en');
  });
}, 60_000);

test('[WEB97] a closed page rings, is told that the call is over, of a missed call and of messages', async () => {
  await using stage = await begin({ ...PHONE, locale: 'zh-CN' });
  const { app, service, profile, pushes } = stage;
  const { consultationId } = await createVisit(app.origin, LIN, CHEN);
  await profile.addInitScript(
    subscribeTo,
    stage.subscriber.subscription(`${service.origin}/phone`) as PushSubscriptionJSON,
  );
  const patient = await Person.inProfile(
    profile,
    linkTo(app.origin, { page: 'patient', person: LIN, consultationId }),
  );
  await using doctor = await RawClient.connect(
    app.origin,
    namedToken(CHEN.personId, CHEN.displayName, 'doctor'),
  );
  await watched({ patient }, async () => {
    await patient.byId('waiting').waitFor();
    await doctor.request('consultation.accept', { consultationId });
    await choose(patient, 'settings');
    await patient.byId('setting-push').click();
    await patient.page.locator('[data-testid="push-state"][data-state="on"]').waitFor();
    await patient.screenshot('push-on-phone-zh');
    expect(await seriousFindings(patient)).toEqual([]);
  });
  const worker = await PushWorker.find(profile, app.origin);
  await patient.page.close();
  const connections = async (): Promise<number> =>
    Number(/^teleconsult_connections (\d+)$/m.exec(await (await fetch(`${app.origin}/metrics`)).text())?.[1]);
  await eventually('the page to be gone', async () => (await connections()) === 1);

  const next = async (kind: string) => {
    const count = pushes().length;
    return {
      arrives: () =>
        eventually(
          `a push ${kind}`,
          () =>
            pushes()
              .slice(count)
              .find((push) => push.kind === kind),
          { lastSeen: pushes },
        ),
    };
  };
  const ring = await next('call.ringing');
  const { call } = await doctor.request('call.start', { consultationId, media: 'video' });
  await worker.deliver(await ring.arrives());
  const [rings] = await worker.shows('the ring', (shown) => shown.length === 1);
  expect(rings).toMatchObject({
    title: '视频来电',
    tag: `call-${call.callId}`,
    requireInteraction: true,
    data: { consultationId },
  });
  expect(JSON.stringify(rings)).not.toContain(CHEN.displayName);

  // The caller gives up: the ring becomes a missed call, in the same place.
  const over = await next('call.over');
  await doctor.request('call.hangUp', { consultationId, callId: call.callId });
  await worker.deliver(await over.arrives());
  await worker.shows('a missed call', ([one, ...more]) => more.length === 0 && one?.title === '未接来电');

  // Answered elsewhere: the ring goes without a trace.
  const again = await next('call.ringing');
  const second = (await doctor.request('call.start', { consultationId, media: 'voice' })).call;
  await worker.deliver(await again.arrives());
  await worker.shows('the second ring', (shown) => shown.some(({ tag }) => tag === `call-${second.callId}`));
  await using other = await RawClient.connect(app.origin, namedToken(LIN.personId, LIN.displayName));
  const elsewhere = await next('call.over');
  await other.request('call.accept', { consultationId, callId: second.callId });
  await worker.deliver(await elsewhere.arrives());
  await worker.shows('no ring', (shown) => shown.every(({ tag }) => tag !== `call-${second.callId}`));
  await doctor.request('call.hangUp', { consultationId, callId: second.callId });

  const message = await next('message');
  await doctor.request('message.send', {
    consultationId,
    clientMessageId: 'while-it-was-closed',
    content: textDraft('化验结果出来了'),
  });
  await worker.deliver(await message.arrives());
  const shown = await worker.shows('the message', (all) => all.some(({ title }) => title === '新消息'));
  expect(JSON.stringify(shown)).not.toContain('化验');

  // Nothing is open, and only the clinic's app has a token: the landing page says how to sign in.
  expect(await worker.press(`message-${consultationId}`)).toEqual(['/#signin']);
  await worker.shows('the pressed notice gone', (all) => all.every(({ title }) => title !== '新消息'));
  // Something of a later version is told in general words.
  await worker.deliver('{"v":2}');
  await worker.shows('a general notice', (all) => all.some(({ title }) => title === '在线问诊'));
}, 60_000);

test('[WEB98] a pressed notice opens its consultation on the page that is open, and a page that is looked at shows no messages', async () => {
  await using stage = await begin(DESK);
  const { app, service, profile, pushes } = stage;
  const lin = await createVisit(app.origin, LIN, CHEN);
  const wang = await createVisit(app.origin, WANG, CHEN);
  await profile.addInitScript(
    subscribeTo,
    stage.subscriber.subscription(`${service.origin}/desk`) as PushSubscriptionJSON,
  );
  const doctor = await Person.inProfile(
    profile,
    linkTo(app.origin, { page: 'doctor', person: CHEN, consultationId: lin.consultationId }),
  );
  await using patient = await RawClient.connect(app.origin, namedToken(WANG.personId, WANG.displayName));
  await watched({ doctor }, async () => {
    await doctor.byId('open-settings').click();
    await doctor.byId('setting-push').click();
    await doctor.page.locator('[data-testid="push-state"][data-state="on"]').waitFor();
    await doctor.byId('dialog-close').click();
    const worker = await PushWorker.find(profile, app.origin);
    expect(pushes()).toEqual([]);
    const at = Date.now();
    // A device that is connected gets no push; one may be on its way all the same.
    await worker.deliver({
      v: 1,
      kind: 'consultation',
      what: 'waiting',
      consultationId: wang.consultationId,
      at,
    });
    await worker.deliver({
      v: 1,
      kind: 'call.ringing',
      consultationId: wang.consultationId,
      callId: `cal_${'0'.repeat(22)}`,
      media: 'voice',
      until: at + 60_000,
      at,
    });
    const shown = await worker.shows('the ring', (all) =>
      all.some(({ title }) => title === 'Incoming voice call'),
    );
    // A browser without a screen shows every page, so the doctor looks at this one.
    expect(shown.map(({ title }) => title)).toEqual(['Incoming voice call']);
    expect(await worker.press(`call-cal_${'0'.repeat(22)}`)).toEqual([]);
    await doctor.page.locator(`[data-consultation="${wang.consultationId}"][aria-current="true"]`).waitFor();
    await patient.request('consultation.enter', { consultationId: wang.consultationId });
    await doctor.byId('accept').waitFor();
  });
}, 60_000);
