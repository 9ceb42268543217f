import type { Call, TeleconsultClient } from '@teleconsult/client-sdk';
import { openPhone, type Phone, telLink } from '@teleconsult/client-sdk/phone';

/** Shows the number of the visit as long as the page shows the visit, and who phones through it. */
export function showPhone(
  client: TeleconsultClient,
  consultationId: string,
  page: {
    language: 'zh' | 'en';
    offer: (phone: Phone) => void;
    show: (number: { readonly link: string; readonly card: File } | null) => void;
    /** From the words of your app. */
    say: (what: 'phoning' | 'talking' | 'refused') => void;
    signal: AbortSignal;
  },
): void {
  const phone = openPhone(client, consultationId, { signal: page.signal });
  const look = (): void => {
    const bound = phone.board.bindings.find(({ number }) => number !== null);
    if (bound === undefined || bound.number === null) return page.show(null);
    const { blob, fileName } = phone.contactCard(bound, { language: page.language });
    page.show({ link: telLink(bound.number), card: new File([blob], fileName, { type: blob.type }) });
  };
  phone.on('board', look);
  phone.on('news', (news) => {
    if (news.kind === 'callStarted') page.say('phoning');
    if (news.kind === 'callAnswered') page.say('talking');
    if (news.kind === 'refused' && news.refused) page.say('refused');
  });
  void phone
    .load()
    .then(() => {
      if (phone.board.available) page.offer(phone);
    })
    .catch((error: unknown) => console.warn(error));
}

/** Somebody whose device cannot take part takes part by telephone. */
export async function joinByPhone(phone: Phone, call: Call, personId: string): Promise<boolean> {
  const { available, reachable, refused } = phone.board;
  const isReachable =
    reachable.some((id) => id === personId) && refused.every((one) => one.personId !== personId);
  if (available && isReachable) await phone.join(call.id, personId);
  return available && isReachable;
}
