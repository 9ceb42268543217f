import type { TabledCall } from './call-table.ts';
import type { RelayWorld } from './relay-world.ts';

/** Dialogs of before that are hung up at once; a trunk takes no more at a time than a busy minute brings. */
const AT_ONCE = 20;

/** Ends what a server that died has left in its table: both phones are hung up, and the bindings are told. Never rejects. */
export async function endLeftOver(
  world: Pick<RelayWorld, 'line' | 'news' | 'table' | 'clock' | 'log'>,
  left: readonly TabledCall[],
): Promise<void> {
  if (left.length === 0) return;
  world.log.warn('phone.callsLeftOver', { count: left.length });
  const waiting = [...left];
  const work = Array.from({ length: AT_ONCE }, async () => {
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) await endOne(world, call);
  });
  await Promise.all(work);
}

async function endOne(
  { line, news, table, clock }: Pick<RelayWorld, 'line' | 'news' | 'table' | 'clock'>,
  { callRef, relay, ringing, dialogs }: TabledCall,
): Promise<void> {
  // A phone that has given up meanwhile would be rung anew.
  if (ringing !== null) line.endRinging(clock() < ringing.until ? ringing : { ...ringing, callee: null });
  const hungUp = Promise.all(dialogs.map((dialog) => line.endLost(dialog)));
  if (relay === null) {
    await hungUp;
    table.remove(callRef);
    return;
  }
  const { bindingId, phoneCallId, caller, answeredAt, maxTalkMs, ended } = relay;
  const now = clock();
  // When exactly it broke nobody knows; longer than allowed it was not.
  const talkMs = answeredAt === null ? 0 : Math.min(Math.max(0, now - answeredAt), maxTalkMs);
  const { at, end, talkMs: talked } = ended ?? { at: now, end: 'lost', talkMs };
  const of = { callRef, bindingId, phoneCallId };
  const isKept = await news.tell(of, at, { type: 'ended', caller, end, talkMs: talked });
  await hungUp;
  if (isKept) table.remove(callRef);
}
