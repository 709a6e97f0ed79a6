import { createRandom, permutation } from "../random.ts";
import type { SetRow } from "./setRow.ts";
import { DataStepError, type StepOf } from "./stepContext.ts";

/** Streams of one seed: which rows make room, and which come in. */
const [OWN_STREAM, OTHER_STREAM] = [0, 1];

/**
 * Mixes in another set's training pairs: `share` of the training pairs come from it and their number stays. Which pairs
 * make room and which come in is drawn; the new ones take the places in the order of those that made room.
 */
export const mix: StepOf<"mix"> = async (set, { data, objective, share, seed }, { readSet }) => {
  const { train } = set;
  const other = await readSet(data, objective);
  const wanted = Math.round(share * train.length);
  if (wanted > other.rows.length) {
    const most = Math.floor((100 * other.rows.length) / train.length);
    throw new DataStepError(
      `"${other.label}" has ${other.rows.length} training pairs and ${wanted} are asked for: take a share of at most ${most} %, or fewer pairs of the set they are mixed into.`,
    );
  }
  const leaving = permutation(train.length, createRandom(seed, OWN_STREAM)).slice(0, wanted);
  const coming = permutation(other.rows.length, createRandom(seed, OTHER_STREAM));
  const mixed = [...train];
  leaving.forEach((index, at) => {
    const row = other.rows[coming[at] ?? 0];
    if (row === undefined) return;
    const made: SetRow = {
      ...row,
      place: set.nextPlace + at,
      judge: other.judge,
      madeBy: `from ${other.label}`,
    };
    mixed[index] = made;
  });
  return {
    set: { ...set, train: mixed, nextPlace: set.nextPlace + wanted },
    sentence: `${wanted} of ${train.length} training pairs come from "${other.label}" now.`,
  };
};
