/** An expected wait in whole minutes for the person who waits: rounded up, in steps of five from ten on. */
export function waitMinutes(estimateMs: number): number {
  const minutes = Math.ceil(estimateMs / 60_000);
  return minutes <= 10 ? minutes : Math.ceil(minutes / 5) * 5;
}
