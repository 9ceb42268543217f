import type { check as english } from '../en/check.ts';
import type { Shape } from '../shape.ts';

export const check: Shape<typeof english> = {
  check: {
    open: '检查摄像头、麦克风和网络',
    title: '通话前检查',
    last: {
      well: (when) => `上次检查（${when}）：一切正常。`,
      trouble: (when) => `上次检查（${when}）：有项目未通过。`,
    },
  },
};
