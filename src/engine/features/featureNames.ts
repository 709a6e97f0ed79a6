/** Names of features: the tokens that tell most of when a feature is active. */
import type { FeatureCorpus } from "./encodePairs.ts";
import { eachPosition } from "./pairRows.ts";
import { eachActive } from "./sparseRows.ts";
import { tokenText, type TokenDecoder } from "./tokenTexts.ts";

const LARGEST_TOKENS = 3;
/** A further token is named when it explains at least this share of what the first one does. */
const LEAST_SHARE = 0.25;
const LONGEST_TOKEN = 16;
/** Says that the tokens come after the ones at which the feature is active. */
const BEFORE = "→ ";

/** Tokens of a feature, those that explain most first. */
type Explained = readonly (readonly [token: number, score: number])[];

/** Sums of activations by feature and token, and how often each token occurs. */
interface Evidence {
  readonly sums: Map<number, number>;
  readonly occurrences: Map<number, number>;
}

/**
 * Names of all features. A token explains (Σ a)² / n of a feature: Σ a are the activations at its positions and n is the
 * number of those, active or not; summed over tokens, this is the part of Σ a² that knowing the token explains. The
 * name has the up to three best tokens, those apart that explain less than a quarter of the best one, and begins with
 * `→` where the token that follows explains more than the one that was read. "" for a feature that is never active.
 */
export function nameFeatures(
  { pairs, startToken, before: { rows } }: Pick<FeatureCorpus, "pairs" | "startToken" | "before">,
  decoder: TokenDecoder,
): string[] {
  const [read, followed] = [emptyEvidence(), emptyEvidence()];
  eachPosition(pairs, startToken, ({ row, token, next }) => {
    count(read.occurrences, token, 1);
    count(followed.occurrences, next, 1);
    eachActive(rows, row, (feature, value) => {
      // Tokens are below 2³²: the key of a feature and a token is a whole number that a double holds.
      count(read.sums, rows.width * token + feature, value);
      count(followed.sums, rows.width * next + feature, value);
    });
  });
  const [atTokens, beforeTokens] = [read, followed].map((evidence) => explainedBy(evidence, rows.width));
  const texts = new Map<number, string>();
  return Array.from({ length: rows.width }, (_, feature) => {
    const [at, before] = [atTokens?.get(feature) ?? [], beforeTokens?.get(feature) ?? []];
    const isBefore = total(before) > total(at);
    const name = shownTokens(isBefore ? before : at, (token) => {
      const text = texts.get(token) ?? shown(tokenText(decoder, token));
      texts.set(token, text);
      return text;
    });
    return isBefore ? BEFORE + name : name;
  });
}

function emptyEvidence(): Evidence {
  return { sums: new Map(), occurrences: new Map() };
}

function count(map: Map<number, number>, key: number, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}

/** Tokens of every active feature with what they explain. */
function explainedBy({ sums, occurrences }: Evidence, width: number): Map<number, [number, number][]> {
  const found = new Map<number, [number, number][]>();
  for (const [key, sum] of sums) {
    const [feature, token] = [key % width, Math.floor(key / width)];
    const list = found.get(feature) ?? [];
    list.push([token, sum ** 2 / (occurrences.get(token) ?? 1)]);
    found.set(feature, list);
  }
  return found;
}

function total(explained: Explained): number {
  return explained.reduce((sum, [, score]) => sum + score, 0);
}

/** The best tokens, different ones as they are shown. */
function shownTokens(explained: Explained, text: (token: number) => string): string {
  const best = [...explained].sort(([a, x], [b, y]) => y - x || a - b);
  const least = LEAST_SHARE * (best[0]?.[1] ?? 0);
  const names = new Set<string>();
  for (const [token, score] of best) {
    if (score < least || names.size === LARGEST_TOKENS) break;
    names.add(text(token));
  }
  return [...names].join(", ");
}

/** A token without the spaces around it, those inside and breaks made visible, cut where it is long. */
function shown(text: string): string {
  const trimmed = text.trim();
  const visible = trimmed === "" ? text.replaceAll("\n", "↵").replaceAll(/\s/gu, "␣") : trimmed;
  const characters = Array.from(visible.replaceAll(/\s+/gu, " "));
  if (characters.length <= LONGEST_TOKEN) return characters.join("");
  return `${characters.slice(0, LONGEST_TOKEN - 1).join("")}…`;
}
