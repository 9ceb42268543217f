/** XML that is escaped by construction: text and attributes have no other way in. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly children: readonly (XmlElement | string)[];
}

/** `name` and the attributes' names are of this program, never from outside. */
export const element = (
  name: string,
  attributes: XmlElement['attributes'] = {},
  ...children: readonly (XmlElement | string)[]
): XmlElement => ({ name, attributes, children });

export const xmlDocument = (root: XmlElement): string =>
  `<?xml version="1.0" encoding="UTF-8"?>${written(root)}`;

function written({ name, attributes, children }: XmlElement): string {
  const shown = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(String(value))}"`],
  );
  const inner = children
    .map((child) => (typeof child === 'string' ? escaped(child) : written(child)))
    .join('');
  const tag = `${name}${shown.join('')}`;
  return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters that XML 1.0 (2.2) does not have at all are left out. */
const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
