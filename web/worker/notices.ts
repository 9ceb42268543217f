import type { PushPayload } from '@teleconsult/protocol/push';

export type NoticeLanguage = 'en' | 'zh-CN';

const words = {
  en: {
    app: 'Teleconsult',
    ringing: { voice: 'Incoming voice call', video: 'Incoming video call' },
    ringingText: 'Tap to answer.',
    open: 'Answer',
    over: 'The call is over',
    missed: 'Missed call',
    missedText: 'You can call back or write.',
    message: 'New message',
    news: {
      requested: 'New consultation request',
      waiting: 'A patient is in the waiting room',
      accepted: 'Your consultation begins',
      ended: 'Your consultation has ended',
      invited: 'You take part in a consultation',
      followUpDue: 'A follow-up is due',
      followUpRefused: 'A follow-up is due, without contact',
      noteSigned: 'There is a new note from your doctor',
    },
    general: 'There is something new',
    text: 'Tap to open.',
  },
  'zh-CN': {
    app: '在线问诊',
    ringing: { voice: '语音来电', video: '视频来电' },
    ringingText: '点按接听。',
    open: '接听',
    over: '通话已结束',
    missed: '未接来电',
    missedText: '您可以回拨或留言。',
    message: '新消息',
    news: {
      requested: '新的问诊请求',
      waiting: '有患者正在候诊',
      accepted: '问诊开始了',
      ended: '问诊已结束',
      invited: '您已加入一次问诊',
      followUpDue: '随访时间到了',
      followUpRefused: '随访时间到了（对方不愿被联系）',
      noteSigned: '医生有新的记录给您',
    },
    general: '有新的动态',
    text: '点按查看。',
  },
} as const;

/** `NotificationOptions` with what browsers have and TypeScript's library does not list. */
export interface NoticeOptions extends NotificationOptions {
  readonly renotify?: boolean;
  readonly vibrate?: readonly number[];
  readonly timestamp?: number;
  readonly actions?: readonly { readonly action: string; readonly title: string }[];
  readonly data: { readonly consultationId: string | null };
}

export interface Notice {
  readonly title: string;
  readonly options: NoticeOptions & { readonly tag: string };
}

/** A ring: half a second on, half a second off, a pause. */
const RING_MS = [500, 250, 500, 1500, 500, 250, 500, 1500, 500, 250, 500];

/** Tags let a newer notice take the place of an older one: one for a call, one for the messages of a consultation. */
export const callTag = (callId: string): string => `call-${callId}`;

/** What is shown for a push. */
export function noticeOf(payload: PushPayload | null, language: NoticeLanguage, now: number): Notice {
  const text = words[language];
  if (payload === null) return general(language);
  const { consultationId, at } = payload;
  const base = { lang: language, data: { consultationId }, timestamp: at };
  switch (payload.kind) {
    case 'call.ringing':
      // A push that was delayed until the ring was over tells of a missed call.
      if (payload.until <= now) return missed(payload.callId, consultationId, language);
      return {
        title: text.ringing[payload.media],
        options: {
          ...base,
          body: text.ringingText,
          tag: callTag(payload.callId),
          renotify: true,
          requireInteraction: true,
          vibrate: RING_MS,
          actions: [{ action: 'open', title: text.open }],
        },
      };
    case 'call.over':
      if (payload.missed) return missed(payload.callId, consultationId, language);
      // Answered or declined elsewhere: it takes the place of the ring without a sound, and is taken away at once.
      return { title: text.over, options: { ...base, tag: callTag(payload.callId), silent: true } };
    case 'message':
      return {
        title: text.message,
        options: { ...base, body: text.text, tag: `message-${consultationId}`, renotify: true },
      };
    case 'consultation':
      return {
        title: text.news[payload.what],
        options: { ...base, body: text.text, tag: `consultation-${consultationId}`, renotify: true },
      };
    default: {
      const unreachable: never = payload;
      return unreachable;
    }
  }
}

function missed(callId: string, consultationId: string, language: NoticeLanguage): Notice {
  const text = words[language];
  return {
    title: text.missed,
    options: { lang: language, body: text.missedText, tag: callTag(callId), data: { consultationId } },
  };
}

/** Browsers want a notice for every push, also for one that this version cannot read. */
function general(language: NoticeLanguage): Notice {
  const text = words[language];
  return {
    title: text.app,
    options: { lang: language, body: text.general, tag: 'general', data: { consultationId: null } },
  };
}

/** `zh…` is read in Simplified Chinese, everything else in English. */
export const noticeLanguage = (tag: string): NoticeLanguage => (/^zh\b/i.test(tag) ? 'zh-CN' : 'en');
