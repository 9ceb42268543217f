import type { ErrorBody } from '@teleconsult/protocol';
import { RawClient } from '../helpers/raw-client.ts';
import type { TestApp } from '../helpers/test-app.ts';

const REFUSALS = ['UNAUTHENTICATED', 'TOKEN_EXPIRED'];
/** The handshake bounds the length of a token before anything reads it. */
const HANDSHAKE_REFUSALS = [...REFUSALS, 'INVALID'];

/** What the REST interface makes of a token: "accepted", or the code of the refusal. */
export async function overRest({ origin }: TestApp, token: string): Promise<string> {
  const response = await fetch(`${origin}/v1/consultations/cns_${'z'.repeat(22)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { code } = (await response.json()) as ErrorBody;
  return code === 'NOT_FOUND' ? 'accepted' : code;
}

/** What the handshake of a socket makes of a token. */
export async function overSocket({ origin }: TestApp, token: string): Promise<string> {
  try {
    await using _client = await RawClient.connect(origin, token);
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The tokens that were let in anywhere, or refused in other words than those of the catalogue. */
export async function letIn(
  startApp: () => Promise<TestApp>,
  tokens: Readonly<Record<string, string>>,
  { batch = 50 } = {},
): Promise<string[]> {
  const complaints: string[] = [];
  const entries = Object.entries(tokens);
  // Few enough for one server not to tell this address to wait before it has judged them all.
  for (let start = 0; start < entries.length; start += batch) {
    await using app = await startApp();
    for (const [what, token] of entries.slice(start, start + batch)) {
      const [rest, socket] = await Promise.all([overRest(app, token), overSocket(app, token)]);
      if (!REFUSALS.includes(rest)) complaints.push(`${what}: ${rest} over REST`);
      if (!HANDSHAKE_REFUSALS.includes(socket)) complaints.push(`${what}: ${socket} over the socket`);
    }
    if (app.logs.length > 0) complaints.push(`logged: ${app.logs.join('')}`);
  }
  return complaints;
}
