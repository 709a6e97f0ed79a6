/** One change of what the device holds after another. */

/** Who may change what the device holds. */
export interface Turns {
  /** Changes it when nobody else does; `isOvertaken` says whether another change waits, to which a warm-up gives way. */
  readonly alone: <Answer>(change: (isOvertaken: () => boolean) => Promise<Answer>) => Promise<Answer>;
  /** Does something before which no training of an autoencoder may begin. */
  readonly ahead: <Answer>(work: () => Promise<Answer>) => Promise<Answer>;
  /** Whether such work is going on. */
  readonly isComingUp: () => boolean;
}

/** Nobody changes anything yet. */
export function createTurns(): Turns {
  let turns = 0;
  let comingUp = 0;
  let changing: Promise<unknown> = Promise.resolve();
  return {
    alone: (change) => {
      const own = ++turns;
      const done = changing.then(() => change(() => own !== turns));
      changing = done.catch(() => undefined);
      return done;
    },
    ahead: async (work) => {
      comingUp += 1;
      try {
        return await work();
      } finally {
        comingUp -= 1;
      }
    },
    isComingUp: () => comingUp > 0,
  };
}
