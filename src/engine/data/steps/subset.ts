import { createRandom, permutation } from "../random.ts";
import { textOf } from "../row.ts";
import type { DataStep } from "./dataStep.ts";
import { gapOf, type SetRow } from "./setRow.ts";
import { DataStepError, type StepContext, type StepOf } from "./stepContext.ts";

type Subset = Extract<DataStep, { kind: "subset" }>;

const NAMES: Record<Subset["by"], string> = {
  random: "drawn at random",
  largestGap: "with the largest gaps",
  smallestGap: "with the smallest gaps",
  shortest: "with the shortest answers",
};

/** Keeps so many training pairs, in the order they had; among equal ones the seed decides. */
export const subset: StepOf<"subset"> = async (set, step, context) => {
  const { train } = set;
  const { pairs, by, seed } = step;
  if (pairs > train.length) {
    throw new DataStepError(
      `${pairs} pairs are asked for and there are ${train.length} training pairs here: ask for at most ${train.length}.`,
    );
  }
  const drawn = Array.from(permutation(train.length, createRandom(seed)));
  const ranks = await ranksOf(train, by, context);
  const order =
    ranks === null ? drawn : drawn.toSorted((first, second) => (ranks[first] ?? 0) - (ranks[second] ?? 0));
  const kept = new Set(order.slice(0, pairs));
  return {
    set: { ...set, train: train.filter((_, index) => kept.has(index)) },
    sentence: `Kept ${pairs} of ${train.length} training pairs, ${NAMES[by]}.`,
  };
};

/** What rows are sorted by, the smallest first; null where nothing sorts them. */
async function ranksOf(
  rows: readonly SetRow[],
  by: Subset["by"],
  { encode, giveWay }: StepContext,
): Promise<number[] | null> {
  if (by === "random") return null;
  const ranks: number[] = [];
  for (const row of rows) {
    ranks.push(by === "shortest" ? answerTokens(row, encode) : gapRank(row, by, rows));
    await giveWay();
  }
  return ranks;
}

function answerTokens({ chosen, rejected }: SetRow, encode: StepContext["encode"]): number {
  return encode(textOf(chosen)).length + encode(textOf(rejected)).length;
}

function gapRank(row: SetRow, by: Subset["by"], rows: readonly SetRow[]): number {
  const gap = gapOf(row);
  if (gap === null) {
    const without = rows.filter((other) => gapOf(other) === null).length;
    throw new DataStepError(
      `${without} of ${rows.length} training pairs have neither scores nor a judge to sort them by: choose pairs at random or by length, or a set with scores.`,
    );
  }
  return by === "largestGap" ? -gap : gap;
}
