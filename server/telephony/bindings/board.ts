import type { PersonId, PhoneBindingView, PhoneBoard, PhoneCallView } from '@teleconsult/protocol';
import { type PhoneContext, relayOf } from './context.ts';
import type { StoredBinding, StoredPhoneCall } from './store.ts';
import { wireDirection } from './visit-pair.ts';

/** How long one that was given back is shown. */
const SHOWN_MS = 24 * 3_600_000;

type Viewed = {
  readonly consultationId: StoredBinding['consultationId'];
  readonly people: readonly PersonId[];
};

/** What a participant sees of masked calls. The relay number is shown to the two whose it is. */
export async function boardFor(context: PhoneContext, by: PersonId, of: Viewed): Promise<PhoneBoard> {
  const { store, settings, providers, clock, recording } = context;
  const { consultationId, people } = of;
  const known = await Promise.all(people.map((personId) => store.numbers.number(personId)));
  const bindings = await store.bindings.bindingsOf(consultationId, clock() - SHOWN_MS);
  const refusals = await store.bindings.refusals(consultationId);
  return {
    available: providers.length > 0,
    reachable: known.flatMap((number) => (number === null ? [] : [number.personId])),
    refused: refusals.map(({ personId, since }) => ({ personId, since })),
    label: settings.label,
    // A provider that records nothing is asked for nothing recorded.
    recording: providers[0]?.capabilities.recording === 'none' ? 'off' : recording,
    bindings: await Promise.all(bindings.map((binding) => viewOf(context, by, binding))),
  };
}

async function viewOf(
  context: PhoneContext,
  by: PersonId,
  binding: StoredBinding,
): Promise<PhoneBindingView> {
  const { bindingId, people, direction, state, createdBy, createdAt, expiresAt, recorded } = binding;
  const isTheirs = by === people.a || by === people.b;
  const [call] = state === 'unbound' ? [] : await context.store.calls.runningOf(bindingId);
  return {
    bindingId,
    people: [people.a, people.b],
    number: isTheirs && state === 'bound' ? await relayOf(context, binding) : null,
    direction: wireDirection(direction),
    state,
    createdBy,
    createdAt,
    expiresAt,
    unboundReason: binding.unboundReason,
    recorded,
    call: call === undefined ? null : viewCall(call),
  };
}

const viewCall = (call: StoredPhoneCall): PhoneCallView => ({
  phoneCallId: call.phoneCallId,
  caller: call.people[call.caller],
  state: call.state === 'talking' ? 'talking' : 'ringing',
  since: call.answeredAt ?? call.startedAt,
  recorded: call.recorded && call.notRecorded === null,
  ...(call.notRecorded !== null && { notRecorded: call.notRecorded }),
});
