import type { PersonId, PhoneBindingView, PhoneBoard, PhoneCallView } from '@teleconsult/protocol';

/** One change of masked calls. */
export type PhoneNews =
  /** A relay number can be called from now on. */
  | { readonly kind: 'bound'; readonly binding: PhoneBindingView }
  /** It was given back, or could not be had; `binding.unboundReason` says why. */
  | { readonly kind: 'unbound'; readonly binding: PhoneBindingView }
  | { readonly kind: 'callStarted'; readonly binding: PhoneBindingView; readonly call: PhoneCallView }
  | { readonly kind: 'callAnswered'; readonly binding: PhoneBindingView; readonly call: PhoneCallView }
  /** What became of it is told by the thread. */
  | { readonly kind: 'callEnded'; readonly binding: PhoneBindingView; readonly call: PhoneCallView }
  | { readonly kind: 'refused'; readonly personId: PersonId; readonly refused: boolean };

/** What a person would call news between two boards. Pure. */
export function phoneNews(before: PhoneBoard, after: PhoneBoard): readonly PhoneNews[] {
  return [...refusals(before, after), ...after.bindings.flatMap((binding) => ofBinding(before, binding))];
}

function refusals(before: PhoneBoard, after: PhoneBoard): PhoneNews[] {
  const did = new Set(before.refused.map(({ personId }) => personId));
  const does = new Set(after.refused.map(({ personId }) => personId));
  return [
    ...[...does].filter((id) => !did.has(id)).map((personId) => refusal(personId, true)),
    ...[...did].filter((id) => !does.has(id)).map((personId) => refusal(personId, false)),
  ];
}

const refusal = (personId: PersonId, refused: boolean): PhoneNews => ({ kind: 'refused', personId, refused });

function ofBinding(before: PhoneBoard, binding: PhoneBindingView): PhoneNews[] {
  const was = before.bindings.find(({ bindingId }) => bindingId === binding.bindingId);
  const isBound = binding.number !== null && was?.number == null;
  const isUnbound = binding.state === 'unbound' && was !== undefined && was.state !== 'unbound';
  return [
    ...(isBound ? [{ kind: 'bound', binding } as const] : []),
    ...ofCall(was?.call ?? null, binding),
    ...(isUnbound ? [{ kind: 'unbound', binding } as const] : []),
  ];
}

function ofCall(was: PhoneCallView | null, binding: PhoneBindingView): PhoneNews[] {
  const { call } = binding;
  const isSame = was !== null && was.phoneCallId === call?.phoneCallId;
  const ended: PhoneNews[] = was === null || isSame ? [] : [{ kind: 'callEnded', binding, call: was }];
  if (call === null) return ended;
  const started: PhoneNews[] = isSame ? [] : [{ kind: 'callStarted', binding, call }];
  const isAnswered = call.state === 'talking' && !(isSame && was.state === 'talking');
  const answered: PhoneNews[] = isAnswered ? [{ kind: 'callAnswered', binding, call }] : [];
  return [...ended, ...started, ...answered];
}
