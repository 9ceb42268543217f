import { z } from 'zod';

/** JSON Schema (2020-12) of a protocol type, without the dialect line. */
export function jsonSchema(type: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return schema;
}

/** Schemas that a reader looks up by name, keyed by their text. */
export type Named = ReadonlyMap<string, string>;

/** A schema as one readable line, in the manner of TypeScript. */
export function shapeOf(schema: unknown, named: Named = new Map(), depth = 0): string {
  if (typeof schema !== 'object' || schema === null) return 'unknown';
  const name = depth === 0 ? undefined : named.get(JSON.stringify(schema));
  if (name !== undefined) return name;
  const node = schema as Record<string, unknown>;
  if ('const' in node) return JSON.stringify(node['const']);
  if (Array.isArray(node['enum'])) return node['enum'].map((value) => JSON.stringify(value)).join(' | ');
  for (const union of ['anyOf', 'oneOf'] as const) {
    const options = node[union];
    if (Array.isArray(options)) return options.map((option) => shapeOf(option, named, depth + 1)).join(' | ');
  }
  switch (node['type']) {
    case 'object':
      return objectShape(node, named, depth);
    case 'array':
      return `${wrap(shapeOf(node['items'], named, depth + 1))}[]`;
    case 'integer':
      return 'integer';
    default:
      return typeof node['type'] === 'string' ? node['type'] : 'unknown';
  }
}

function objectShape(node: Record<string, unknown>, named: Named, depth: number): string {
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, unknown>);
  if (properties.length === 0) return '{}';
  if (depth > 2) return '{…}';
  const required = new Set((node['required'] ?? []) as string[]);
  const fields = properties.map(
    ([name, value]) => `${name}${required.has(name) ? '' : '?'}: ${shapeOf(value, named, depth + 1)}`,
  );
  return `{ ${fields.join('; ')} }`;
}

const wrap = (shape: string): string => (shape.includes('|') ? `(${shape})` : shape);
