/**
 * What is said on the phone, word for word. Whoever hears it may be ill, old, or a stranger who dialled wrongly, so it is
 * short, polite, says what to do next, and never who the other person is. After a change: `node scripts/prompts/make.ts`.
 */
import type { PhoneLanguage, PromptId } from '../ports.ts';

export const PROMPT_TEXTS: Readonly<Record<PhoneLanguage, Readonly<Record<PromptId, string>>>> = {
  zh: {
    expired: '您好，这个号码已经停止使用。如需帮助，请拨打医院公布的电话。再见。',
    stranger: '对不起，您不能拨打这个号码。请使用预约时登记的电话，或者联系医院。',
    visit_ended: '本次问诊已经结束，通话即将挂断。祝您健康，再见。',
    refused: '对不起，对方不方便接听电话，请在应用里留言。',
    unavailable: '对不起，电话暂时无法接通，请稍后再拨。',
    no_answer: '对不起，您拨打的电话无人接听，请稍后再拨。',
    busy: '对不起，对方正在通话中，请稍后再拨。',
    recorded: '请注意，本次通话将被录音。',
    consent: '为了记录您的病情，本次通话需要录音。同意请按一，不同意请按二。',
    consent_given: '谢谢，您已同意，现在开始录音。',
    consent_refused: '好的，本次通话不会录音。',
    connecting: '您好，正在为您接通，请稍候。',
    time_nearly_over: '请注意，通话时间还剩一分钟。',
    time_over: '通话时间已到，即将结束。谢谢，再见。',
  },
  en: {
    expired: 'Hello. This number is no longer in use. If you need help, please call your clinic. Goodbye.',
    stranger:
      'Sorry, your call cannot be connected. Please call from the phone you gave us, or contact your clinic.',
    visit_ended: 'Your visit has ended, and this call will end now. We wish you good health. Goodbye.',
    refused: 'Sorry, the person does not take phone calls now. Please leave a message in the app.',
    unavailable: 'Sorry, your call cannot be connected right now. Please try again later.',
    no_answer: 'Sorry, nobody is answering. Please try again later.',
    busy: 'Sorry, the line is busy. Please try again later.',
    recorded: 'Please note: this call is recorded.',
    consent:
      'For your medical record, we would like to record this call. To agree, press 1. To refuse, press 2.',
    consent_given: 'Thank you. You have agreed, and recording begins now.',
    consent_refused: 'All right. This call will not be recorded.',
    connecting: 'Hello. You are being connected. Please wait.',
    time_nearly_over: 'Please note: one minute is left.',
    time_over: 'The time for this call is over, and it will end now. Thank you. Goodbye.',
  },
};
