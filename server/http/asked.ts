import { AppError, type ConsultationId, routes } from '@teleconsult/protocol';
import type { Request } from 'express';
import type { z } from 'zod';
import { requireReach } from '../identity/access.ts';
import type { Caller } from '../identity/tokens.ts';
import { describe } from '../signalling/dispatch.ts';

/** @throws AppError INVALID, with where it is wrong */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new AppError('INVALID', { detail: describe(parsed.error) });
  return parsed.data;
}

/** What the path names. An id of the wrong shape names nothing, like one that was never given out. */
export function named<T extends Record<string, z.ZodType>, N extends string & keyof T>(
  { params }: { readonly params: T },
  name: N,
  request: Request,
): z.output<T[N]> {
  const parsed = params[name]?.safeParse(request.params[name]);
  if (parsed?.success !== true) throw new AppError('NOT_FOUND');
  // The schema is that of this name; TypeScript does not follow it through the lookup.
  return parsed.data as z.output<T[N]>;
}

/** The consultation of the path, if the caller's token reaches it. */
export function consultation(request: Request, caller: Caller): ConsultationId {
  const id = named(routes.getConsultation, 'consultationId', request);
  requireReach(caller, id);
  return id;
}
