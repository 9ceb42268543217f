/**
 * Every state of the window, as a script for the page: `call` is a video call that runs, `floating` the page's object of
 * page/page.ts. Times are of the page's clock.
 */
export const STATES: Readonly<Record<string, string>> = {
  video: '',
  'camera-off': 'call.other({ cameraOn: false })',
  restoring: 'floating.client.becomeActive(null); floating.client.becomeRestoring(floating.toRestore())',
  connecting: 'call.setPath("connecting")',
  reconnecting: 'call.setPath("interrupted")',
  'other-reconnecting': 'call.other({ state: "reconnecting" })',
  'other-lost':
    'call.other({ state: "left", leftReason: "lost", returnUntil: new Date(2026, 0, 1, 14, 5).getTime() })',
  'other-interrupted': 'call.other({ interrupted: true })',
  muted: 'call.setMicrophone(false); call.setCamera(false)',
  'speaks-muted': 'call.setMicrophone(false); call.speaksWhileMuted()',
  refused:
    'call.cameraOn = false; call.setCamera(false); call.refusal = "PERMISSION_DENIED"; floating.find("floating-camera").click()',
  awaiting: 'call.becomeAwaiting(["microphone", "camera"])',
  group: 'call.seatOf("relative-1", { state: "present", cameraOn: true }); call.speaks("relative-1")',
  unread: 'floating.element.unread = 3',
  elsewhere: 'call.goElsewhere("answered_elsewhere"); floating.client.becomeActive(null)',
  'own-lost':
    'call.role = "elsewhere"; call.seatOf("doctor-1", { state: "left", leftReason: "lost", returnUntil: new Date(2026, 0, 1, 14, 5).getTime() }); floating.client.becomeActive(null)',
  ended: 'call.end("lost")',
  'by-phone': 'call.other({ phone: true, deviceId: null, cameraOn: false })',
  'own-phone':
    'call.seatOf("doctor-1", { phone: true, deviceId: null }); call.goElsewhere("answered_elsewhere"); floating.client.becomeActive(null)',
};

/** The same for a voice call. */
export const VOICE_STATES: Readonly<Record<string, string>> = {
  voice: 'floating.element.unread = 128',
  ringing: '',
  'voice-reconnecting': 'call.other({ state: "reconnecting" })',
  'voice-awaiting': 'call.becomeAwaiting(["microphone"])',
  'voice-by-phone': 'call.other({ phone: true, deviceId: null })',
};
