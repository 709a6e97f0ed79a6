/** Seconds by what they were spent on. */
import type { RoundSeconds } from "./roundRecord.ts";
import type { RoundsState } from "./roundsState.ts";

const MS_PER_SECOND = 1000;

/** Measures work while it has the turn. */
export interface Stopwatch {
  /** Does something and counts its time. */
  readonly spend: <Result>(stage: keyof RoundSeconds, work: () => Promise<Result>) => Promise<Result>;
  /** Hands reports on and counts the time that each takes; what is done with a report is not counted. */
  readonly timed: <Report, Result>(
    stage: keyof RoundSeconds,
    reports: AsyncGenerator<Report, Result>,
  ) => AsyncGenerator<Report, Result>;
}

/** A stopwatch over a clock of milliseconds that adds to `seconds`. */
export function createStopwatch(now: () => number, seconds: () => RoundsState["seconds"]): Stopwatch {
  const spend: Stopwatch["spend"] = async (stage, work) => {
    const startedAt = now();
    try {
      return await work();
    } finally {
      seconds()[stage] += (now() - startedAt) / MS_PER_SECOND;
    }
  };
  return {
    spend,
    timed: async function* (stage, reports) {
      try {
        for (;;) {
          const next = await spend(stage, () => reports.next());
          if (next.done === true) return next.value;
          yield next.value;
        }
      } finally {
        await reports.return(undefined as never);
      }
    },
  };
}

/** Counts nothing, for runs without rounds. */
export const noStopwatch: Stopwatch = {
  spend: (_stage, work) => work(),
  timed: (_stage, reports) => reports,
};
