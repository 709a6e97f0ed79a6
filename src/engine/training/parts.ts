/** Long work in parts: with pauses for other tasks, or at once. */
import { giveWay } from "../tensor/run.ts";

/** Work that yields where others may have their turn. */
export type Parts<Result> = Generator<void, Result>;

/** Runs the parts without a pause. */
export function atOnce<Result>(parts: Parts<Result>): Result {
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/** Runs the parts and lets other tasks have their turn in between. */
export async function yielding<Result>(parts: Parts<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
    await giveWay();
  }
}
