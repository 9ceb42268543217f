import { room as en } from './en/room.ts';
import { language } from './language.ts';
import type { Shape } from './shape.ts';
import { room as zhCn } from './zh-cn/room.ts';

export type RoomWords = Shape<typeof en>;

/** The words inside a call, in the chosen language. A part of its own, so that only who is in a call fetches it. */
export const roomWords = (): RoomWords => (language() === 'en' ? en : zhCn);
