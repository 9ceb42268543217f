import type {
  Attachment,
  ConsultationView,
  Entry,
  MessageContent,
  Participant,
  PersonId,
} from '@teleconsult/protocol';
import * as ids from './mock-ids.ts';
import { mockPeaks, mockPicture, mockVoice } from './mock-media.ts';

const MINUTE = 60_000;

/** The bytes behind the attachments of a mock thread. */
export class MockAttachments {
  readonly #blobs = new Map<string, { original: Blob; thumbnail: Blob }>();

  async picture(width?: number, height?: number): Promise<Attachment> {
    const picture = await mockPicture(width, height);
    const attachmentId = ids.attachmentId();
    this.#blobs.set(attachmentId, picture);
    const { thumbhash, original } = picture;
    return {
      attachmentId,
      kind: 'image',
      contentType: 'image/jpeg',
      byteSize: original.size,
      width: picture.width,
      height: picture.height,
      thumbhash,
    };
  }

  voice(seconds: number): Attachment {
    const original = mockVoice(seconds);
    const attachmentId = ids.attachmentId();
    this.#blobs.set(attachmentId, { original, thumbnail: original });
    return {
      attachmentId,
      kind: 'voice',
      contentType: 'audio/wav',
      byteSize: original.size,
      durationMs: seconds * 1000,
      peaks: mockPeaks(),
    };
  }

  file(fileName: string, size: number): Attachment {
    const original = new Blob([new Uint8Array(size)], { type: 'application/pdf' });
    const attachmentId = ids.attachmentId();
    this.#blobs.set(attachmentId, { original, thumbnail: original });
    return { attachmentId, kind: 'file', contentType: 'application/pdf', byteSize: size, fileName };
  }

  async get(attachmentId: string, variant: 'original' | 'thumbnail'): Promise<Blob> {
    const held = this.#blobs.get(attachmentId);
    if (held === undefined) throw new Error('unknown attachment');
    return held[variant];
  }
}

export function mockView(
  people: { patient: string; doctor: string },
  phase: ConsultationView['phase'],
): ConsultationView {
  const participants: Participant[] = [
    { personId: ids.personId('patient-1'), role: 'patient', displayName: people.patient },
    { personId: ids.personId('doctor-1'), role: 'doctor', displayName: people.doctor },
  ];
  return {
    consultationId: ids.consultationId(),
    kind: 'visit',
    phase,
    phaseSince: Date.now() - 12 * MINUTE,
    declineReason: null,
    requestedBy: null,
    subject: null,
    endReason: phase === 'ended' ? 'completed' : null,
    participants,
    createdAt: Date.now() - 26 * MINUTE,
    lastSequence: 0,
  };
}

type Fact = Entry extends infer E
  ? E extends Entry
    ? Omit<E, 'consultationId' | 'sequence' | 'at' | 'by'>
    : never
  : never;

/** Writes a thread entry by entry; each is `afterMs` later than the one before. */
export class MockThread {
  readonly entries: Entry[] = [];
  readonly #consultationId: ConsultationView['consultationId'];
  #at: number;

  constructor(view: ConsultationView, startedAt: number) {
    this.#consultationId = view.consultationId;
    this.#at = startedAt;
  }

  add(fact: Fact, by: PersonId | null, afterMs = 40_000): Entry {
    this.#at += afterMs;
    const sequence = (this.entries.at(-1)?.sequence ?? 0) + 1;
    const entry = { ...fact, consultationId: this.#consultationId, sequence, at: this.#at, by } as Entry;
    this.entries.push(entry);
    return entry;
  }

  withdraw(sequence: number, how: 'recalled' | 'removed'): Entry {
    const entry = this.entries[sequence - 1];
    if (entry?.kind !== 'message.sent') throw new Error('no such message');
    const withdrawn: Entry = { ...entry, content: { type: 'withdrawn', how } };
    this.entries[sequence - 1] = withdrawn;
    return withdrawn;
  }

  say(content: MessageContent, by: PersonId | null, afterMs?: number, replyTo?: number): Entry {
    const fact = {
      kind: 'message.sent' as const,
      messageId: ids.messageId(),
      clientMessageId: ids.clientMessageId(),
      content,
      ...(replyTo === undefined ? {} : { replyTo }),
    };
    return this.add(fact, by, afterMs);
  }
}

export interface Words {
  readonly patient: string;
  readonly doctor: string;
  readonly complaint: string;
  readonly more: string;
  readonly caption: string;
  readonly question: string;
  readonly answer: string;
  readonly advice: string;
  readonly file: string;
  readonly note: string;
  readonly relative: string;
  readonly interpreter: string;
  readonly child: string;
  readonly symptoms: readonly string[];
  readonly allergies: string;
  readonly report: string;
}

export const words: Readonly<Record<'en' | 'zh-CN', Words>> = {
  en: {
    patient: 'Anna Lindqvist',
    doctor: 'Dr Wei Li',
    complaint:
      'Hello doctor, I have had this rash on my left forearm for three days. It itches, mostly at night.',
    more: 'No fever.',
    caption: 'Taken this morning in daylight',
    question:
      'Thank you, that helps. Did you change anything lately: a soap, a plant in the garden, a new medicine?\nAnd did the spots begin all at once?',
    answer: 'I started a new washing powder last week!',
    advice:
      'That fits well. Please stop using it and rinse the affected clothes twice. I am sending you the instructions for the ointment.',
    file: 'Ointment instructions.pdf',
    note: 'Come back if it is not better in five days.',
    relative: 'Karin Lindqvist',
    interpreter: 'Samir Haddad',
    child: 'Emil Lindqvist',
    symptoms: ['itching', 'redness'],
    allergies: 'Penicillin',
    report: 'Blood test.pdf',
  },
  'zh-CN': {
    patient: '张晓雯',
    doctor: '李伟医生',
    complaint: '医生您好，我左前臂起疹子三天了，晚上痒得比较厉害。',
    more: '没有发烧。',
    caption: '今天早上在自然光下拍的',
    question:
      '谢谢，照片很清楚。最近有没有换过肥皂、接触过植物，或者吃过新的药？\n疹子是一下子全部出现的吗？',
    answer: '上周刚换了一种洗衣粉！',
    advice: '这就对上了。请先停用，把贴身衣物多漂洗两遍。我把药膏的使用说明发给您。',
    file: '药膏使用说明.pdf',
    note: '如果五天后没有好转，请再来复诊。',
    relative: '张桂兰',
    interpreter: '萨米尔',
    child: '张小宝',
    symptoms: ['瘙痒', '发红'],
    allergies: '青霉素',
    report: '血常规报告.pdf',
  },
};

/** A thread with every kind of entry. */
export async function mockThread(
  view: ConsultationView,
  attachments: MockAttachments,
  text: Words,
  full: boolean,
): Promise<MockThread> {
  const patient = view.participants[0]?.personId ?? null;
  const doctor = view.participants[1]?.personId ?? null;
  const thread = new MockThread(view, Date.now() - (full ? 26 * 60 * MINUTE : 12 * MINUTE));
  thread.add({ kind: 'consultation.requested' }, null, 0);
  thread.add({ kind: 'consultation.waiting' }, patient, full ? 2 * MINUTE : MINUTE);
  if (!full) return thread;
  thread.say({ type: 'text', text: text.complaint }, patient);
  thread.say({ type: 'text', text: text.more }, patient, 9000);
  thread.say({ type: 'image', attachment: await attachments.picture(), caption: text.caption }, patient);
  thread.add({ kind: 'consultation.accepted' }, doctor, 25 * 60 * MINUTE);
  thread.say({ type: 'text', text: text.question }, doctor);
  thread.say({ type: 'voice', attachment: attachments.voice(14) }, patient, MINUTE);
  thread.say({ type: 'text', text: text.answer }, patient);
  const missed = ids.callId();
  thread.add({ kind: 'call.started', callId: missed, media: 'voice' }, doctor);
  thread.add({ kind: 'call.ended', callId: missed, reason: 'no_answer', durationMs: 0 }, null);
  const call = ids.callId();
  thread.add({ kind: 'call.started', callId: call, media: 'voice' }, patient);
  thread.add({ kind: 'call.answered', callId: call }, doctor, 6000);
  thread.add({ kind: 'call.mediaChanged', callId: call, media: 'video' }, doctor);
  thread.add({ kind: 'call.ended', callId: call, reason: 'completed', durationMs: 192_000 }, doctor, 192_000);
  thread.say({ type: 'text', text: text.advice }, doctor);
  thread.say({ type: 'file', attachment: attachments.file(text.file, 248_000) }, doctor, 9000);
  return thread;
}
