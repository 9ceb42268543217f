import type { z } from 'zod';

export interface RequestDefinition {
  readonly summary: string;
  readonly payload: z.ZodType;
  readonly result: z.ZodType;
}

export const define = <const T extends Record<string, RequestDefinition>>(table: T): T => table;
