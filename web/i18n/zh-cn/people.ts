import type { people as english } from '../en/people.ts';
import type { Shape } from '../shape.ts';

export const people: Shape<typeof english> = {
  people: {
    title: '参与者',
    open: '参与者',
    online: '在线',
    offline: '不在线',
    remove: (name) => `移出${name}`,
    removeShort: '移出',
    removeTitle: (name) => `确定移出${name}？`,
    removeText: '对方将不能再查看和发送消息，已发送的内容会保留。',
    leave: '退出问诊',
    leaveTitle: '确定退出本次问诊？',
    leaveText: '退出后将无法查看内容，需要新的邀请才能返回。',
    stay: '留下',
    left: '您已退出本次问诊。',
    removed: '您已不再参与本次问诊。',
    guest: (role) => `您以${role}身份参与。`,
  },
  invite: {
    open: '邀请他人',
    signIn: '请先登录：打开医院应用，然后在同一窗口中重新打开邀请。',
    signInTitle: '您有一份邀请',
  },
  colleagues: {
    open: '同行',
    channel: '健康号',
    waitingFor: (name) => `等待${name}回应`,
    wants: (name) => `${name}希望与您交流`,
    withdraw: '撤回',
    thread: '同行',
  },
};
