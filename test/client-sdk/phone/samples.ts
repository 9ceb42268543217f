import { randomBytes } from 'node:crypto';
import {
  ConsultationId,
  PhoneBindingId,
  type PhoneBindingView,
  type PhoneBoard,
  PhoneCallId,
  type PhoneCallView,
} from '@teleconsult/protocol';
import { doctor, minted, patient } from '../helpers/samples.ts';

export const consultationId = ConsultationId.parse(minted('cns'));
export const RELAY = '+8617000003333';

const id = (prefix: 'pbd' | 'pcl'): string => `${prefix}_${randomBytes(11).toString('hex')}`;

export function binding(changes: Partial<PhoneBindingView> = {}): PhoneBindingView {
  return {
    bindingId: PhoneBindingId.parse(id('pbd')),
    people: [doctor, patient],
    number: RELAY,
    direction: 'both',
    state: 'bound',
    createdBy: patient,
    createdAt: Date.UTC(2026, 10, 22, 9, 30),
    expiresAt: Date.UTC(2026, 10, 22, 19, 0),
    unboundReason: null,
    recorded: false,
    call: null,
    ...changes,
  };
}

export function phoneCall(changes: Partial<PhoneCallView> = {}): PhoneCallView {
  return {
    phoneCallId: PhoneCallId.parse(id('pcl')),
    caller: patient,
    state: 'ringing',
    since: 1,
    recorded: false,
    ...changes,
  };
}

export const board = (changes: Partial<PhoneBoard> = {}): PhoneBoard => ({
  available: true,
  reachable: [doctor, patient],
  refused: [],
  label: 'City Clinic',
  recording: 'ask',
  bindings: [],
  ...changes,
});
