/** What waits for its turn to show the call. */
export interface Turn {
  /** It is this one's turn now. */
  begin(): void;
}

/** The elements of this page, in the order in which they came. The first shows the call, so there is one window. */
const waiting = new Set<Turn>();

const first = (): Turn | undefined => {
  const [turn] = waiting;
  return turn;
};

export function takeTurn(turn: Turn): void {
  waiting.add(turn);
  if (first() === turn) turn.begin();
}

/** Whoever came next takes over. */
export function leaveTurn(turn: Turn): void {
  const wasFirst = first() === turn;
  waiting.delete(turn);
  if (wasFirst) first()?.begin();
}
