/** The way to the check of camera, microphone and network before a call; room.ts has what is said inside. */
export const check = {
  check: {
    open: 'Check camera, microphone and network',
    title: 'Before the call',
    last: {
      well: (when: string) => `Last checked ${when}: everything works.`,
      trouble: (when: string) => `Last checked ${when}: something did not work.`,
    },
  },
};
