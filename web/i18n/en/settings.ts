/** The settings dialog: receipts and notices. */
export const settings = {
  settings: {
    open: 'Settings',
    title: 'Settings',
    menu: 'More',
    receipts: 'Tell others what I have read',
    receiptsHint: 'Off: nobody sees what you have read. That a message arrived is always shown.',
    push: 'Notices on this device',
    pushHint:
      'Tells you about calls and messages while this page is closed. Notices hold no names and no texts.',
    pushCalls: 'Calls',
    pushMessages: 'Messages',
    pushConsultations: 'Changes of a consultation',
    pushOn: 'Notices are on for this device.',
    pushOff: 'Notices are off for this device.',
    pushDenied:
      'The browser blocks notices of this site. Allow them in the browser’s site settings, then switch this on again.',
    pushUnsupported: 'This browser cannot show notices while the page is closed.',
    pushHomeScreen: 'On iPhone and iPad: add this page to the home screen first.',
    pushUnreachable:
      'Your browser does not reach its notice service from here. While this page is open, everything still arrives.',
    pushNotConfigured: 'This service does not send notices.',
    forAllDevices: 'These choices apply to all your devices.',
  },
};
