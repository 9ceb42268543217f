/** What a person can do in the window. Each is asked for by a click or a key. */
export interface CallActs {
  toggleMicrophone(): void;
  toggleCamera(): void;
  expand(): void;
  hangUp(): void;
  /** Switches on what waits for a tap. */
  goOn(): void;
  /** Takes the call over from the person's other device. */
  continueHere(): void;
  /** Puts the window away when there is no call of this device in it any more. */
  dismiss(): void;
}
