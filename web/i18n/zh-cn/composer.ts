import type { composer as english } from '../en/composer.ts';
import type { Shape } from '../shape.ts';

export const composer: Shape<typeof english> = {
  composer: {
    label: '消息',
    placeholder: '输入消息',
    caption: '添加说明',
    send: '发送',
    picture: '发送图片',
    camera: '拍照',
    file: '发送文件',
    record: '录制语音',
    remaining: (count) => `还可输入 ${count} 个字`,
    tooLong: (count) => `超出 ${count} 个字`,
    tooLarge: (name, limit) => `“${name}”超过 ${limit}，无法发送。`,
    emptyFile: (name) => `“${name}”是空文件，无法发送。`,
    drop: '将图片或文件拖放到这里',
    attachments: '待发送',
    remove: (name) => `移除 ${name}`,
    pictureReady: '请确认图片后再发送。',
  },
  recorder: {
    label: '正在录制语音',
    recording: '录音中',
    starting: '正在请求使用麦克风…',
    full: '已达到最长录音时间，请发送或放弃。',
    send: '停止并发送',
    cancel: '放弃录音',
    level: '音量',
    denied: '无法录制语音：麦克风未获授权。请在浏览器的网站设置中允许使用。文字、图片和文件仍可正常发送。',
    unavailable: '无法录制语音：没有找到麦克风，或麦克风正被占用。文字、图片和文件仍可正常发送。',
    unsupported: '当前浏览器不支持录制语音。文字、图片和文件仍可正常发送。',
  },
};
