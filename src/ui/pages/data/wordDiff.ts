/** What two texts share, word by word. */

/** A piece of a text; pieces that only one of the texts has are not shared. */
export interface TextPiece {
  readonly text: string;
  readonly isShared: boolean;
}

/** Both texts in pieces. */
export interface TextPieces {
  readonly left: readonly TextPiece[];
  readonly right: readonly TextPiece[];
}

/** Largest table of words against words that is worth its time; longer texts are compared at both ends alone. */
const largestTable = 250_000;

/** Splits two texts into what they share, in order, and what they do not: the longest common subsequence of words. */
export function wordDiff(left: string, right: string): TextPieces {
  const [a, b] = [wordsOf(left), wordsOf(right)];
  const head = sharedHead(a, b);
  const tail = sharedTail(a.slice(head), b.slice(head));
  const [middleA, middleB] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const shared = sharedWords(middleA, middleB);
  const flags = (inside: readonly boolean[]) => [
    ...Array.from({ length: head }, () => true),
    ...inside,
    ...Array.from({ length: tail }, () => true),
  ];
  return { left: piecesOf(a, flags(shared.a)), right: piecesOf(b, flags(shared.b)) };
}

/** Fewest words to insert, delete or replace to get from one text to the other; an upper bound for very long texts. */
export function editDistance(left: string, right: string): number {
  const [a, b] = [wordsOf(left), wordsOf(right)].map((words) => words.map((word) => word.trim()));
  const head = sharedHead(a!, b!);
  const tail = sharedTail(a!.slice(head), b!.slice(head));
  const [from, to] = [a!.slice(head, a!.length - tail), b!.slice(head, b!.length - tail)];
  if (from.length * to.length > largestTable) return Math.max(from.length, to.length);
  let row = Array.from({ length: to.length + 1 }, (_, place) => place);
  for (const [place, word] of from.entries()) {
    const next = [place + 1];
    for (const [column, other] of to.entries()) {
      const replaced = row[column]! + (word === other ? 0 : 1);
      next.push(Math.min(replaced, row[column + 1]! + 1, next[column]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** Words of a text, each with the space before it; together they are the text. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function sharedHead(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return count;
}

function sharedTail(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

function sharedWords(a: readonly string[], b: readonly string[]): { a: boolean[]; b: boolean[] } {
  const shared = { a: a.map(() => false), b: b.map(() => false) };
  if (a.length * b.length > largestTable) return shared;
  const width = b.length + 1;
  // lengths[i × width + j]: longest common subsequence of a from i on and b from j on.
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      shared.a[i++] = true;
      shared.b[j++] = true;
    } else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i += 1;
    else j += 1;
  }
  return shared;
}

function piecesOf(words: readonly string[], flags: readonly boolean[]): TextPiece[] {
  const pieces: { text: string; isShared: boolean }[] = [];
  for (const [place, word] of words.entries()) {
    const isShared = flags[place] ?? false;
    const last = pieces.at(-1);
    if (last?.isShared === isShared) last.text += word;
    else pieces.push({ text: word, isShared });
  }
  return pieces;
}
