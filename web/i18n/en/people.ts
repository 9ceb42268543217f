/** Who takes part, and the ways to invitations and colleagues; dialogs.ts has what is said inside. */
export const people = {
  people: {
    title: 'People in this consultation',
    open: 'People',
    online: 'Online',
    offline: 'Not online',
    remove: (name: string) => `Remove ${name}`,
    removeShort: 'Remove',
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: 'They can no longer read or write here. What they wrote stays.',
    leave: 'Leave the consultation',
    leaveTitle: 'Leave this consultation?',
    leaveText: 'You can no longer read it. To return you need a new invitation.',
    stay: 'Stay',
    left: 'You have left the consultation.',
    removed: 'You take no part in this consultation any more.',
    guest: (role: string) => `You take part as ${role}.`,
  },
  invite: {
    open: 'Invite somebody',
    signIn: 'Sign in first: open your clinic’s app, then open the invitation again in the same window.',
    signInTitle: 'You have an invitation',
  },
  colleagues: {
    open: 'Colleagues',
    channel: 'Health channel',
    waitingFor: (name: string) => `Waiting for ${name} to answer`,
    wants: (name: string) => `${name} asks you for a conversation`,
    withdraw: 'Withdraw',
    thread: 'Colleague',
  },
};
