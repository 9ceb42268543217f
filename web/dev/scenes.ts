import type { Call } from '@teleconsult/client-sdk/api';
import type { ConsultationView, ParticipantRole, Unread } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { language } from '../i18n/language.ts';
import { startPage } from '../pages/start-page.ts';
import { MockClient, MockRecorder } from './mock-client.ts';
import * as ids from './mock-ids.ts';
import { mockPicture, mockVoice } from './mock-media.ts';
import { MockAttachments, type MockThread, mockThread, mockView, words } from './mock-thread.ts';
import { MOCK_INVITATION, MockVisit } from './mock-visit.ts';
import { playCall } from './scenes-call.ts';
import { isChannelScene, mockChannel, playChannel } from './scenes-channel.ts';
import { phoneEnds, phoneOf, phoneWaits, playPhone, preparePhone, writesPhone } from './scenes-phone.ts';
import { playRecords, prepareRecords, recordsOf, startsEnded, writesRecords } from './scenes-records.ts';
import { playResume, prepareResume } from './scenes-resume.ts';

/**
 * Shows a page without a server: `/dev/patient.html?scene=<name>`. For looking at it and for checking it with
 * axe; never part of the production build.
 */
export async function showScene(role: ParticipantRole): Promise<void> {
  const scene = new URLSearchParams(location.search).get('scene') ?? 'thread';
  const text = words[language()];
  const client = new MockClient();
  const attachments = new MockAttachments();
  const waits =
    ['waiting', 'waiting-subject', 'request', 'form', 'subject', 'check', 'decline'].includes(scene) ||
    phoneWaits(scene);
  const view = mockView(
    text,
    ['ended', 'declined'].includes(scene) || startsEnded(scene) || phoneEnds(scene)
      ? 'ended'
      : waits
        ? 'waiting'
        : 'active',
  );
  const thread = await mockThread(view, attachments, text, !waits);
  if (scene === 'long') lengthen(thread, 120);
  if (scene === 'huge') lengthen(thread, 10_000);
  if (scene === 'ended')
    thread.add(
      { kind: 'consultation.ended', reason: 'completed', note: text.note },
      view.participants[1]?.personId ?? null,
    );
  if (scene === 'declined') decline(view, thread);
  writesRecords(scene, view, thread);
  writesPhone(scene, view, thread);
  if (scene === 'colleagues') {
    Object.assign(view, {
      kind: 'colleagues',
      requestedBy: view.participants[0]?.personId,
      participants: view.participants.map((person) => ({ ...person, role: 'doctor' as const })),
    });
  }
  if (scene === 'form-card') await addForm(thread, attachments, view);
  const options = {
    view,
    thread,
    attachments,
    role,
    transcript: text.answer,
    onView: (next: typeof view) => client.announce(next),
    onUnread: (unread: Unread) => client.announceUnread(unread),
    onActive: (call: Call | null) => client.becomeActive(call),
  };
  const visit = new MockVisit(options, ['long', 'huge'].includes(scene) ? thread.entries.length - 200 : 0);
  prepare(scene, client, visit, thread);
  prepareResume(scene, client, visit);
  await prepareRecords(scene, role, visit);
  preparePhone(scene, role, visit);
  client.personId = view.participants.find((person) => person.role === role)?.personId ?? null;
  client.add(visit);
  if (role === 'doctor' && scene !== 'none') await addOthers(client, role);
  if (scene === 'none') client.views = [];
  if (scene === 'refused') client.refusal = 'TOKEN_EXPIRED';

  const consultation =
    role === 'doctor' && (['list', 'none', 'near'].includes(scene) || isChannelScene(scene))
      ? ''
      : `&consultation=${visit.id}`;
  const invite = scene.startsWith('invited') ? `&invite=${MOCK_INVITATION().code}` : '';
  if (scene === 'missing') sessionStorage.clear();
  else if (scene === 'invited-signed-out') {
    sessionStorage.clear();
    history.replaceState(null, '', `${location.pathname}${location.search}#${invite.slice(1)}`);
  } else
    history.replaceState(
      null,
      '',
      `${location.pathname}${location.search}#token=mock${consultation}${invite}`,
    );
  await import(role === 'patient' ? '../elements/tele-app-patient.ts' : '../elements/tele-app-doctor.ts');
  startPage(role === 'patient' ? 'tele-app-patient' : 'tele-app-doctor', {
    createTeleconsultClient: () => client,
    startVoiceRecorder: async () => {
      if (scene === 'voice-denied') throw new AppError('PERMISSION_DENIED');
      return new MockRecorder();
    },
    openRecords: async (_client, id) => recordsOf(id),
    openPhone: async (_client, id) => phoneOf(id),
    openHealthChannel: async () => mockChannel(scene, view),
  });
  Object.assign(globalThis, {
    mock: { client, visit, records: recordsOf(visit.id), phone: phoneOf(visit.id) },
  });
  await settled(300);
  await play(scene, client, visit);
  await playCall(scene, client, visit);
  await playResume(scene, client, visit);
  await playRecords(scene, role, visit);
  await playPhone(scene, visit);
  await playChannel(scene);
  await settled(900);
  // For whoever looks at the scene with a script.
  document.documentElement.dataset['scene'] = 'shown';
}

/** Long enough for the pages to open their consultation and for animations to begin. */
const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function play(scene: string, client: MockClient, visit: MockVisit): Promise<void> {
  const text = words[language()];
  const message = {
    clientMessageId: ids.clientMessageId(),
    attempts: 1,
    error: null,
    queuedAt: Date.now(),
    replyTo: null,
  };
  if (scene === 'outbox') {
    const { thumbnail } = await mockPicture(1200, 900);
    visit.enqueue({
      ...message,
      state: 'uploading',
      progress: 0.62,
      draft: { type: 'image', data: thumbnail, caption: text.caption },
    });
    const next = { ...message, clientMessageId: ids.clientMessageId() };
    visit.enqueue({ ...next, state: 'sending', progress: 1, draft: { type: 'text', text: text.answer } });
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
  if (scene === 'group') gather(visit);
  if (scene === 'replies') {
    visit.receive({ type: 'text', text: text.question }, visit.other, 3);
    const { sequence } = visit.receive({ type: 'text', text: text.more }, visit.other);
    await visit.recall(sequence);
  }
  if (scene === 'typing') visit.types([{ personId: visit.other, activity: 'typing' }]);
  if (scene === 'offline') {
    client.become('connecting', 'DISCONNECTED');
    visit.enqueue({
      ...message,
      state: 'sending',
      progress: 0,
      attempts: 0,
      draft: { type: 'text', text: text.answer },
      replyTo: 3,
    });
  }
  if (scene === 'no-answer') visit.ring('voice', 'caller').end('no_answer');
}

/** What is so before the page opens its consultation. */
function prepare(scene: string, client: MockClient, visit: MockVisit, thread: MockThread): void {
  const [patient, doctor] = visit.view.participants;
  if (patient === undefined || doctor === undefined) return;
  const newest = thread.entries.length;
  visit.view = { ...visit.view, lastSequence: newest };
  visit.unreadAfter(scene === 'unread' ? newest - 6 : newest);
  visit.online = scene === 'offline-doctor' ? [] : [patient.personId, doctor.personId];
  visit.marks = [
    { personId: patient.personId, delivered: newest, read: newest - 3 },
    { personId: doctor.personId, delivered: newest, read: newest - 3 },
  ];
  if (visit.view.phase === 'waiting')
    visit.queue = {
      consultationId: visit.id,
      position: 2,
      estimateMs: scene === 'waiting' ? 9.4 * 60_000 : null,
    };
  if (scene === 'waiting-subject')
    visit.view = {
      ...visit.view,
      subject: {
        displayName: words[language()].child,
        relationship: 'child',
        birthYear: 2019,
        authorisation: { basis: 'guardian' },
        authorisedAt: Date.now(),
      },
    };
  if (scene === 'invited-expired') client.invitationRefusal = 'EXPIRED';
  client.near = [{ personId: ids.personId('doctor-7'), displayName: words[language()].doctor, withinKm: 2 }];
}

function decline(view: ConsultationView, thread: MockThread): void {
  Object.assign(view, { endReason: 'declined', declineReason: 'emergency' });
  thread.add(
    { kind: 'consultation.ended', reason: 'declined', declineReason: 'emergency' },
    view.participants[1]?.personId ?? null,
  );
}

async function addForm(
  thread: MockThread,
  attachments: MockAttachments,
  view: ConsultationView,
): Promise<void> {
  const text = words[language()];
  const form = {
    chiefComplaint: text.complaint,
    duration: { value: 3, unit: 'days' as const },
    symptoms: [...text.symptoms],
    temperatureCelsius: 36.8,
    allergies: text.allergies,
    pregnancy: 'no' as const,
    attachments: [
      { purpose: 'affected_area' as const, attachment: await attachments.picture() },
      { purpose: 'tongue' as const, attachment: await attachments.picture(900, 1200) },
      { purpose: 'report' as const, attachment: attachments.file(text.report, 180_000) },
    ],
  };
  thread.say({ type: 'form', form }, view.participants[0]?.personId ?? null);
}

/** More than two people, answers to messages, and messages that were taken back. */
function gather(visit: MockVisit): void {
  const text = words[language()];
  visit.join({ personId: ids.personId('relative-1'), role: 'relative', displayName: text.relative });
  visit.join({ personId: ids.personId('interpreter-1'), role: 'interpreter', displayName: text.interpreter });
  visit.receive({ type: 'text', text: text.question }, ids.personId('interpreter-1'));
  visit.receive({ type: 'text', text: text.answer }, ids.personId('relative-1'), 3);
  visit.become({ online: visit.view.participants.slice(0, 3).map(({ personId }) => personId) });
}

function lengthen(thread: MockThread, most: number): void {
  const [doctor, patient] = [ids.personId('doctor-1'), ids.personId('patient-1')];
  for (let count = 1; count <= most; count += 1)
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
    const onView = (next: ConsultationView) => client.announce(next);
    const onActive = (call: Call | null) => client.becomeActive(call);
    client.add(new MockVisit({ view, thread, attachments, role, onView, onActive }));
    client.unreadOf.set(view.consultationId, index === 0 ? 3 : 0);
    if (phase === 'waiting')
      client.queuePlaces.push({ consultationId: view.consultationId, position: index + 1, estimateMs: null });
  }
}
