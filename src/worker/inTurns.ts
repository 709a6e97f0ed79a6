/** Long work on the host that must not keep signs of life and messages waiting. */

/** Longest that work keeps other tasks waiting. */
const LONGEST_TURN_MS = 100;

/** Gives a function that lets other tasks through when they have waited; called between two parts of long work. */
export function takeTurns(): () => Promise<void> {
  let turnStartedAt = performance.now();
  return async () => {
    if (performance.now() - turnStartedAt < LONGEST_TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    turnStartedAt = performance.now();
  };
}

/** Runs work to its end, and lets signs of life and messages through now and then. */
export async function inTurns<Result>(work: Generator<void, Result, void>): Promise<Result> {
  const giveWay = takeTurns();
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
    await giveWay();
  }
}
