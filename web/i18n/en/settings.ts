/** The way to the settings; dialogs.ts has what is said inside. */
export const settings = {
  settings: {
    open: 'Settings',
    menu: 'More',
  },
  /** The ways to what is recorded; records.ts has what is said inside. */
  records: { recordings: 'Recordings', notes: 'Notes', followUps: 'Follow-ups' },
  /** The way to masked phone calls; phone.ts has what is said inside. */
  phone: 'Call by phone, number hidden',
};
