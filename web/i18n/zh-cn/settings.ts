import type { settings as english } from '../en/settings.ts';
import type { Shape } from '../shape.ts';

export const settings: Shape<typeof english> = {
  settings: {
    open: '设置',
    title: '设置',
    menu: '更多',
    receipts: '告诉他人我已读的内容',
    receiptsHint: '关闭后，他人看不到您是否已读；消息是否送达始终显示。',
    push: '本设备通知',
    pushHint: '页面关闭时也能收到来电和消息提醒。通知中不含姓名和内容。',
    pushCalls: '来电',
    pushMessages: '消息',
    pushConsultations: '问诊状态变化',
    pushOn: '本设备已开启通知。',
    pushOff: '本设备未开启通知。',
    pushDenied: '浏览器阻止了本网站的通知。请在浏览器的网站设置中允许通知，然后重新开启。',
    pushUnsupported: '当前浏览器不支持在页面关闭时显示通知。',
    pushHomeScreen: '在 iPhone 和 iPad 上，请先将本页添加到主屏幕。',
    pushUnreachable: '浏览器暂时无法连接其通知服务。只要本页面开着，来电和消息仍会正常提醒。',
    pushNotConfigured: '本服务未提供通知功能。',
    forAllDevices: '以上选择对您的所有设备生效。',
  },
};
