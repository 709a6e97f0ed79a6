/** SentencePiece's pairs: its files give each token a score, and the pair that makes the best token is merged first. */
import { tokenKinds, type Vocabulary } from "./vocabulary.ts";

/** What stands for a space. */
export const SPACE = "\u2581";

/** Whether a token is some spaces, which the converter wrote as they are. */
function isSpaces(token: string): boolean {
  return /^ {2,}$/.test(token);
}

/** Runs of spaces are merged like other tokens, from what stands for a space. */
export function respellSpaces({ tokens, kinds }: Vocabulary): Vocabulary {
  const spelled = new Set(tokens);
  const isRespelled = tokens.map((token) => isSpaces(token) && !spelled.has(SPACE.repeat(token.length)));
  return {
    tokens: tokens.map((token, id) => (isRespelled[id] === true ? SPACE.repeat(token.length) : token)),
    kinds: kinds.map((kind, id) => (isRespelled[id] === true ? tokenKinds.normal : kind)),
  };
}

/** Whether a token is a run of what stands for a space: SentencePiece takes the longest before anything else. */
function isRun(token: string): boolean {
  return token.length > 1 && token === SPACE.repeat(token.length);
}

/** Every pair of tokens that makes a token, in the order of merging: the best token first, then the lower ids. */
export function mergesOf({ tokens, kinds }: Vocabulary, scores: readonly number[]): [string, string][] {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (kinds[id] === tokenKinds.normal || kinds[id] === tokenKinds.userDefined) ids.set(token, id);
  });
  const candidates = [...ids].filter(([token]) => token.length > 1);
  const runs = candidates.filter(([token]) => isRun(token)).sort(([a], [b]) => b.length - a.length);
  const others = candidates.filter(([token]) => !isRun(token));
  others.sort(([, a], [, b]) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return [...runs, ...others].flatMap(([token]) => splitsOf(token, ids));
}

function splitsOf(token: string, ids: ReadonlyMap<string, number>): [string, string][] {
  const splits: { left: string; right: string; leftId: number; rightId: number }[] = [];
  for (let at = 1; at < token.length; at++) {
    const [left, right] = [token.slice(0, at), token.slice(at)];
    const [leftId, rightId] = [ids.get(left), ids.get(right)];
    if (leftId !== undefined && rightId !== undefined) splits.push({ left, right, leftId, rightId });
  }
  splits.sort((a, b) => a.leftId - b.leftId || a.rightId - b.rightId);
  return splits.map(({ left, right }) => [left, right]);
}
