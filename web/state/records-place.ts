import type { VisitModel } from './visit-model.ts';

/** What dialogs about notes and recordings need to know of the place these belong to: a visit, or a health channel. */
export type RecordsPlace = Pick<
  VisitModel,
  | 'changes'
  | 'self'
  | 'records'
  | 'openRecords'
  | 'dictation'
  | 'isDictating'
  | 'isConnected'
  | 'isSelf'
  | 'nameOf'
  | 'namer'
>;
