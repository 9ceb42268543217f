import type { settings as english } from '../en/settings.ts';
import type { Shape } from '../shape.ts';

export const settings: Shape<typeof english> = {
  settings: {
    open: '设置',
    menu: '更多',
  },
  records: { recordings: '录音录像', notes: '病程记录', followUps: '随访' },
  phone: '电话联系（号码保密）',
};
