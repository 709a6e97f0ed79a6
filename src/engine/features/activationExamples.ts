/** Stretches of text around activations, from the strongest part of the range of activations down. */
import { promptOf, type TokenPair } from "../data/tokenPair.ts";
import type { FeatureCorpus } from "./encodePairs.ts";
import { firstRows, rowOf, textOf, type Position, type Side } from "./pairRows.ts";
import { activationAt } from "./sparseRows.ts";
import type { TokenDecoder } from "./tokenTexts.ts";

/** A stretch of text around an activation. */
export interface ActivationExample {
  /** As `decodeTokens` gives them: "" for special tokens and inside of a character of several. */
  readonly tokens: readonly string[];
  /** One value per token, under the untouched model. */
  readonly activations: Float32Array;
  /** The same under the tuned one; null before a run. */
  readonly after: Float32Array | null;
  /** Index of the token with the activation that the example stands for. */
  readonly peak: number;
  readonly side: Side;
}

/** Examples whose peak lies in a part of the range of activations. */
export interface ActivationInterval {
  readonly from: number;
  readonly to: number;
  /** Share of active positions in it. */
  readonly share: number;
  readonly examples: readonly ActivationExample[];
}

/** A position at which a feature is active. */
export interface ActivePosition extends Position {
  readonly value: number;
}

const INTERVALS = 6;
const LARGEST_EXAMPLES = 5;
/** Tokens on either side of the peak. */
const CONTEXT = 10;

/**
 * Splits the range from 0 to the largest activation into six equal intervals. Each shows up to five examples: the
 * strongest in the first interval, in the others those that lie evenly over the interval; stretches of the same tokens
 * appear once. None without an active position.
 */
export function activationIntervals(
  corpus: FeatureCorpus,
  feature: number,
  { active, decoder }: { readonly active: readonly ActivePosition[]; readonly decoder: TokenDecoder },
): ActivationInterval[] {
  const sorted = [...active].sort((a, b) => b.value - a.value);
  const largest = sorted[0]?.value ?? 0;
  if (largest === 0) return [];
  const starts = firstRows(corpus.pairs);
  const stretchOf = stretchesOf(corpus.pairs);
  return Array.from({ length: INTERVALS }, (_, rank) => {
    const [from, to] = [INTERVALS - 1 - rank, INTERVALS - rank].map((i) => (i / INTERVALS) * largest);
    const inside = sorted.filter(({ value }) => value > from! && (value <= to! || rank === 0));
    const distinct = distinctStretches(stretchOf, inside);
    const chosen = rank === 0 ? distinct.slice(0, LARGEST_EXAMPLES) : spread(distinct, LARGEST_EXAMPLES);
    return {
      from: from!,
      to: to!,
      share: inside.length / sorted.length,
      examples: chosen.map((position) =>
        exampleOf(
          corpus,
          { feature, position, first: starts[position.pair]!, ...stretchOf(position) },
          decoder,
        ),
      ),
    };
  });
}

/** Where the stretch around a position lies in the text of its side. */
interface Stretch {
  readonly text: Int32Array;
  /** Place of the position's own token, first of the stretch, and the one after its last. */
  readonly place: number;
  readonly start: number;
  readonly end: number;
}

/** A function that finds the stretch of a position; every text is put together once. */
function stretchesOf(pairs: readonly TokenPair[]): (position: Position) => Stretch {
  const texts = pairs.map((pair) => ({ chosen: textOf(pair, "chosen"), rejected: textOf(pair, "rejected") }));
  return ({ pair, side, index }) => {
    const text = texts[pair]![side];
    const place = promptOf(pairs[pair]!, side).length + index - 1;
    const start = Math.max(0, place - CONTEXT);
    return { text, place, start, end: Math.min(text.length, place + CONTEXT + 1) };
  };
}

/** Positions whose stretches differ; of equal ones the first. */
function distinctStretches(
  stretchOf: (position: Position) => Stretch,
  positions: readonly ActivePosition[],
): ActivePosition[] {
  const seen = new Set<string>();
  return positions.filter((position) => {
    const { text, place, start, end } = stretchOf(position);
    const key = `${place - start}:${text.subarray(start, end).join()}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** That many of a list, evenly spread over it, from its first on. */
function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}

/** An example to be. */
interface Peak extends Stretch {
  readonly feature: number;
  readonly position: ActivePosition;
  /** First row of the pair. */
  readonly first: number;
}

function exampleOf(
  { pairs, before, after }: FeatureCorpus,
  { feature, position, first, text, place, start, end }: Peak,
  decoder: TokenDecoder,
): ActivationExample {
  const pair = pairs[position.pair]!;
  const rows = Array.from({ length: end - start }, (_, at) =>
    rowOf(pair, position.side, { first, place: start + at }),
  );
  const values = ({ rows: encoded }: FeatureCorpus["before"]) =>
    Float32Array.from(rows, (row) => activationAt(encoded, row, feature));
  return {
    tokens: decoder.decodeTokens([...text.subarray(start, end)], { after: [...text.subarray(0, start)] }),
    activations: values(before),
    after: after === null ? null : values(after),
    peak: place - start,
    side: position.side,
  };
}
