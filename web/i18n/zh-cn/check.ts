import type { check as english } from '../en/check.ts';
import type { Shape } from '../shape.ts';

export const check: Shape<typeof english> = {
  check: {
    open: '检查摄像头、麦克风和网络',
    title: '通话前检查',
    camera: '您的摄像头',
    microphone: '麦克风：请说句话',
    tone: '播放提示音',
    network: '检测网络',
    measuring: (share) => `正在检测网络，${share}`,
    verdict: {
      good: '网络良好，适合视频通话。',
      fair: '网络尚可，画面有时可能模糊。',
      poor: '网络较弱，建议使用语音通话。',
      failed: '当前网络无法通话。',
    },
    advice: {
      no_connection: '无法连接服务器，请检查网络。',
      media_blocked: '当前网络阻止了通话，请改用移动数据或其他网络。',
      move_closer_to_wifi: '请靠近无线路由器。',
      close_other_downloads: '请停止下载和其他视频。',
      use_voice_only: '请使用语音通话，不开视频。',
      slow_route: '到服务器的线路较慢，回应会有延迟。',
    },
  },
};
