/** Numbers that end a run. */

/** The loss or the gradient norm is NaN or infinite. */
export class NonFiniteLossError extends Error {
  override name = "NonFiniteLossError";
  readonly step: number;

  constructor(what: string, step: number) {
    super(`${what} is not a number at step ${step}.`);
    this.step = step;
  }
}

/** Every log-prob is exactly zero: the device returned nothing, which no model does. */
export class EmptyResultError extends Error {
  override name = "EmptyResultError";
  readonly step: number;

  constructor(step: number) {
    super(`Every log-prob is exactly 0 at step ${step}: the device returned nothing.`);
    this.step = step;
  }
}
