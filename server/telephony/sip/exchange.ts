import type { DigestClient } from './digest.ts';
import type { HeaderLine, SipResponse } from './message.ts';
import type { RequestFailure, RequestSpec, TransactionLayer } from './transactions.ts';

export type Exchanged =
  | { readonly type: 'answered'; readonly response: SipResponse }
  | { readonly type: 'failed'; readonly why: RequestFailure };

/** One request that is not INVITE, and its final answer; challenges are answered on the way. Never rejects. */
export function exchange(
  layer: TransactionLayer,
  build: (authorization: (method: string, uri: string) => HeaderLine[]) => RequestSpec,
  digest: DigestClient | null,
): Promise<Exchanged> {
  const round = digest?.round() ?? null;
  const authorization = (method: string, uri: string): HeaderLine[] => round?.headers(method, uri) ?? [];
  return new Promise((resolve) => {
    const attempt = (): void => {
      layer.start(build(authorization), {
        onResponse: (response) => {
          if (response.status < 200) return;
          if (round?.challenged(response) === true) attempt();
          else resolve({ type: 'answered', response });
        },
        onFailed: (why) => resolve({ type: 'failed', why }),
      });
    };
    attempt();
  });
}
