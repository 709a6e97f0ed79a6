/** Long work on the host that must not keep signs of life and messages waiting. */

/** Longest that work keeps other tasks waiting. */
const LONGEST_TURN_MS = 100;

/** Lets signs of life and messages through, when it is called after a long turn. */
export function takingTurns(): () => Promise<void> {
  let turnStartedAt = performance.now();
  return async () => {
    if (performance.now() - turnStartedAt < LONGEST_TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    turnStartedAt = performance.now();
  };
}

/** Runs work to its end, and lets signs of life and messages through now and then. */
export async function inTurns<Result>(work: Generator<void, Result, void>): Promise<Result> {
  const giveWay = takingTurns();
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
    await giveWay();
  }
}
