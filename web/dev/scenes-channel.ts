import type { HealthChannel } from '@teleconsult/client-sdk/records';
import type { ConsultationView } from '@teleconsult/protocol';
import { language } from '../i18n/language.ts';
import * as ids from './mock-ids.ts';
import type { MockRecords } from './mock-records.ts';
import { press } from './press.ts';
import { recordsOf } from './scenes-records.ts';

/** The states of a doctor's health channel. The names are those of `?scene=`. */
export const CHANNEL_SCENES = ['channel-none', 'channel', 'channel-draft', 'channel-recording'] as const;

const WORDS = {
  en: {
    withdrawn: 'Colds in winter',
    published:
      'Itching skin: what helps at night\nFive minutes on washing, cooling and when to see a doctor.',
    draft: 'Walking after an operation',
  },
  'zh-CN': {
    withdrawn: '冬季感冒怎么办',
    published: '皮肤瘙痒：夜间如何缓解\n五分钟讲清洗护、冷敷，以及何时需要就诊。',
    draft: '术后如何走路',
  },
} as const;

const channelId = ids.consultationId();
let isFilled = false;

/** The health channel of the doctor of this visit. */
export function mockChannel(scene: string, visit: ConsultationView): HealthChannel {
  const doctor = visit.participants.find(({ role }) => role === 'doctor');
  const records = recordsOf(channelId);
  if (doctor !== undefined) records.self = doctor.personId;
  if (!isFilled && scene !== 'channel-none' && isChannelScene(scene)) fill(records);
  isFilled = true;
  Object.assign(globalThis, { channel: records });
  return {
    consultation: {
      ...visit,
      consultationId: channelId,
      kind: 'health_channel',
      phase: 'active',
      requestedBy: doctor?.personId ?? null,
      subject: null,
      participants: doctor === undefined ? [] : [doctor],
    },
    records,
  };
}

/** Plays one of `CHANNEL_SCENES`; any other name does nothing. */
export async function playChannel(scene: string): Promise<void> {
  if (!isChannelScene(scene)) return;
  await press('open-channel');
  if (scene === 'channel-draft') await press('note-edit');
  if (scene === 'channel-recording') await press('dictate');
}

export const isChannelScene = (scene: string): boolean => CHANNEL_SCENES.some((known) => known === scene);

function fill(records: MockRecords): void {
  const text = WORDS[language()];
  const clip = (words: string, lengthMs: number, isPublished: boolean): string => {
    const { recordingId } = records.addDictated('health_channel', lengthMs);
    const audio = { recordingId, startMs: 0, endMs: null };
    const note = records.addNote({ purpose: 'health_channel', followUpId: null, text: words, audio });
    if (isPublished) void records.signNote(note);
    return recordingId;
  };
  records.change(clip(text.withdrawn, 31_000, true), { state: 'erased', files: [], rights: [] });
  clip(text.published, 24_000, true);
  clip(text.draft, 18_000, false);
}
