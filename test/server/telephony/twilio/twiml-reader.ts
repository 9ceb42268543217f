/** TwiML as Twilio reads it: an XML parser of its own, so that what is written is not read by who wrote it. */
export interface Verb {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Verb[];
}

const TOKEN = /<\?[^>]*\?>|<\/([A-Za-z]+)>|<([A-Za-z]+)((?:\s+[A-Za-z]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

/** @throws Error when it is not well-formed */
export function readTwiml(xml: string): Verb {
  interface Open {
    name: string;
    attributes: Record<string, string>;
    text: string;
    children: Verb[];
  }
  const root: Open = { name: '', attributes: {}, text: '', children: [] };
  const stack: Open[] = [root];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < xml.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(xml);
    if (token === null) throw new Error(`No XML at ${at}`);
    const [, closes, opens, attributes = '', isEmpty, text] = token;
    const top = stack.at(-1) ?? root;
    if (text !== undefined) top.text += plain(text);
    if (opens !== undefined) {
      const verb: Open = { name: opens, attributes: {}, text: '', children: [] };
      for (const [, name = '', value = ''] of attributes.matchAll(/([A-Za-z]+)="([^"]*)"/g))
        verb.attributes[name] = plain(value);
      top.children.push(verb);
      if (isEmpty !== '/') stack.push(verb);
    }
    if (closes !== undefined && stack.pop()?.name !== closes) throw new Error(`</${closes}> closes nothing`);
  }
  const [first, ...others] = root.children;
  if (stack.length !== 1 || first === undefined || others.length > 0) throw new Error('No one root');
  return first;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function plain(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(text)) throw new Error('A bare &');
  return text.replace(/&([a-z]+);/g, (_, name: string) => ENTITIES[name] ?? '');
}
