import { randomBytes } from 'node:crypto';

/** Tags, branches, Call-IDs: 96 bits nobody can guess, and that say nothing. */
export const token = (): string => randomBytes(12).toString('hex');

/** RFC 3261 §8.1.1.7: a branch with this start is unique for ever. */
export const BRANCH_COOKIE = 'z9hG4bK';
export const branch = (): string => BRANCH_COOKIE + token();
