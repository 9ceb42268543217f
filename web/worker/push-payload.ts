import type { PushPayload } from '@teleconsult/protocol/push';

const CONSULTATION_ID = /^cns_[0-9A-Za-z]{22}$/;
const CALL_ID = /^cal_[0-9A-Za-z]{22}$/;
const NEWS = [
  'requested',
  'waiting',
  'accepted',
  'ended',
  'invited',
  'followUpDue',
  'followUpRefused',
  'noteSigned',
] as const;

/** Null for anything this version of the worker does not know: it then shows the most general notice. */
export function parsePush(value: unknown): PushPayload | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [consultationId, at, kind] = [fields.get('consultationId'), fields.get('at'), fields.get('kind')];
  if (fields.get('v') !== 1 || typeof at !== 'number') return null;
  if (typeof consultationId !== 'string' || !CONSULTATION_ID.test(consultationId)) return null;
  const base = { v: 1, consultationId, at } as const;
  if (kind === 'message') return { ...base, kind };
  const what = NEWS.find((news) => news === fields.get('what'));
  if (kind === 'consultation') return what === undefined ? null : { ...base, kind, what };
  const callId = fields.get('callId');
  if (typeof callId !== 'string' || !CALL_ID.test(callId)) return null;
  if (kind === 'call.over') return { ...base, kind, callId, missed: fields.get('missed') === true };
  const until = fields.get('until');
  if (kind !== 'call.ringing' || typeof until !== 'number') return null;
  return { ...base, kind, callId, until, media: fields.get('media') === 'video' ? 'video' : 'voice' };
}
