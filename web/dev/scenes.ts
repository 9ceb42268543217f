import type { ParticipantRole } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { language } from '../i18n/language.ts';
import { startPage } from '../pages/start-page.ts';
import { MockClient, MockRecorder } from './mock-client.ts';
import * as ids from './mock-ids.ts';
import { mockPicture, mockVoice } from './mock-media.ts';
import { MockAttachments, type MockThread, mockThread, mockView, words } from './mock-thread.ts';
import { MockVisit } from './mock-visit.ts';

/**
 * Shows a page without a server: `/dev/patient.html?scene=<name>`. For looking at it and for checking it with
 * axe; never part of the production build.
 */
export async function showScene(role: ParticipantRole): Promise<void> {
  const scene = new URLSearchParams(location.search).get('scene') ?? 'thread';
  const text = words[language()];
  const client = new MockClient();
  const attachments = new MockAttachments();
  const waits = ['waiting', 'request'].includes(scene);
  const view = mockView(text, scene === 'ended' ? 'ended' : waits ? 'waiting' : 'active');
  const thread = await mockThread(view, attachments, text, !waits);
  if (scene === 'long') lengthen(thread);
  if (scene === 'ended')
    thread.add(
      { kind: 'consultation.ended', reason: 'completed', note: text.note },
      view.participants[1]?.personId ?? null,
    );
  const options = { view, thread, attachments, role, onView: (next: typeof view) => client.announce(next) };
  const visit = new MockVisit(options, scene === 'long' ? thread.entries.length - 30 : 0);
  client.add(visit);
  if (role === 'doctor' && scene !== 'none') await addOthers(client, role);
  if (scene === 'none') client.views = [];
  if (scene === 'refused') client.refusal = 'TOKEN_EXPIRED';

  const consultation =
    role === 'doctor' && ['list', 'none'].includes(scene) ? '' : `&consultation=${visit.id}`;
  if (scene === 'missing') sessionStorage.clear();
  else history.replaceState(null, '', `${location.pathname}${location.search}#token=mock${consultation}`);
  await import(role === 'patient' ? '../elements/tele-app-patient.ts' : '../elements/tele-app-doctor.ts');
  startPage(role === 'patient' ? 'tele-app-patient' : 'tele-app-doctor', {
    createTeleconsultClient: () => client,
    startVoiceRecorder: async () => {
      if (scene === 'voice-denied') throw new AppError('PERMISSION_DENIED');
      return new MockRecorder();
    },
  });
  Object.assign(globalThis, { mock: { client, visit } });
  await settled(300);
  await play(scene, client, visit);
  await settled(900);
  // For whoever looks at the scene with a script.
  document.documentElement.dataset['scene'] = 'shown';
}

/** Long enough for the pages to open their consultation and for animations to begin. */
const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function play(scene: string, client: MockClient, visit: MockVisit): Promise<void> {
  const text = words[language()];
  const message = { clientMessageId: ids.clientMessageId(), attempts: 1, error: null, queuedAt: Date.now() };
  if (scene === 'outbox') {
    const { thumbnail } = await mockPicture(1200, 900);
    visit.queue({
      ...message,
      state: 'uploading',
      progress: 0.62,
      draft: { type: 'image', data: thumbnail, caption: text.caption },
    });
    const next = { ...message, clientMessageId: ids.clientMessageId() };
    visit.queue({ ...next, state: 'sending', progress: 1, draft: { type: 'text', text: text.answer } });
    visit.fail({ type: 'voice', data: mockVoice(4) }, 'STORAGE_FULL');
    visit.fail(
      { type: 'file', data: new Blob(['x'.repeat(90_000)]), fileName: text.file },
      'UNSUPPORTED_MEDIA',
    );
  }
  if (scene === 'incoming') visit.ring('video', 'incoming');
  if (scene === 'incoming-voice') visit.ring('voice', 'incoming');
  if (scene === 'ringing') visit.ring('video', 'caller');
  if (scene === 'elsewhere') visit.ring('video', 'elsewhere');
  if (scene === 'call-voice') visit.ring('voice', 'answered');
  if (scene === 'call-video' || scene === 'call-reconnecting' || scene === 'call-muted') {
    const call = visit.ring('video', 'answered');
    call.cameraOn = true;
    setTimeout(() => {
      if (scene === 'call-reconnecting') call.setPath('interrupted');
      if (scene === 'call-muted') {
        call.other({ microphoneOn: false, cameraOn: false });
        void call.setMicrophone(false);
      }
    }, 200);
  }
  if (scene === 'camera-offer') {
    const call = visit.ring('voice', 'answered');
    setTimeout(() => void call.setMedia('video'), 200);
  }
  if (scene === 'reconnecting') client.become('connecting', 'DISCONNECTED');
  if (scene === 'closed') client.become('closed', 'TOKEN_EXPIRED');
  if (scene === 'no-answer') visit.ring('voice', 'caller').end('no_answer');
}

function lengthen(thread: MockThread): void {
  const [doctor, patient] = [ids.personId('doctor-1'), ids.personId('patient-1')];
  for (let count = 1; count <= 120; count += 1)
    thread.say({ type: 'text', text: `${count}` }, count % 3 === 0 ? doctor : patient, 20_000);
}

async function addOthers(client: MockClient, role: ParticipantRole): Promise<void> {
  const isChinese = language() === 'zh-CN';
  const others = isChinese
    ? ([
        ['王建国', 'waiting'],
        ['陈思远', 'waiting'],
        ['刘慧', 'requested'],
        ['赵敏', 'ended'],
        ['孙立', 'ended'],
      ] as const)
    : ([
        ['Jonas Meyer', 'waiting'],
        ['Maria Esposito-Castellanos', 'waiting'],
        ['Tom Okafor', 'requested'],
        ['Yuki Tanaka', 'ended'],
        ['Ines Duarte', 'ended'],
      ] as const);
  const text = words[language()];
  for (const [index, [patient, phase]] of others.entries()) {
    const view = {
      ...mockView({ ...text, patient }, phase),
      createdAt: Date.now() - (index + 1) * (index > 2 ? 31 : 0.2) * 3_600_000,
    };
    const attachments = new MockAttachments();
    const thread = await mockThread(view, attachments, text, false);
    client.add(new MockVisit({ view, thread, attachments, role, onView: (next) => client.announce(next) }));
  }
}
