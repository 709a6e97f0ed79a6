import lexicons from "./lexicons.json" with { type: "json" };

/** Words and phrases with their weights. */
export type Lexicon = Readonly<Record<string, number>>;

/** How many words before a match are searched for a negation. */
const NEGATION_WINDOW = 2;
/** An answer that repeats itself so much that fewer than this share of its words differ is no answer. */
const MIN_DISTINCT_SHARE = 0.5;
/** The longest phrase in the lexicons, in words. */
const LONGEST_PHRASE = 4;

const negations: ReadonlySet<string> = new Set(lexicons.negations);
const stopwords: ReadonlySet<string> = new Set(lexicons.stopwords);

/** The lower-case words of a text, without punctuation. */
export function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+(?:'[a-z]+)?/g) ?? [];
}

/** The different words of a text that carry content. */
export function contentWords(text: string): Set<string> {
  return new Set(splitWords(text).filter((word) => !stopwords.has(word)));
}

/** Whether an answer is empty or mostly repeats itself. */
export function isDegenerate(answer: string): boolean {
  const words = splitWords(answer);
  return words.length === 0 || new Set(words).size < words.length * MIN_DISTINCT_SHARE;
}

/** Squeezes any sum of weights into the range from -1 to 1, odd and increasing. */
export function squash(sum: number): number {
  return sum / (1 + Math.abs(sum));
}

function isNegation(word: string): boolean {
  return negations.has(word) || word.endsWith("n't");
}

/** An entry such as "never" or "do not care" says its own negation and is taken as it stands. */
function isNegated(words: readonly string[], position: number, phrase: string): boolean {
  if (phrase.split(" ").some(isNegation)) return false;
  return words.slice(Math.max(0, position - NEGATION_WINDOW), position).some(isNegation);
}

function longestMatch(words: readonly string[], position: number, lexicon: Lexicon): string | undefined {
  for (let length = LONGEST_PHRASE; length > 0; length -= 1) {
    const phrase = words.slice(position, position + length).join(" ");
    if (position + length <= words.length && Object.hasOwn(lexicon, phrase)) return phrase;
  }
  return undefined;
}

/** Adds the entries found in one clause; a negation does not reach beyond its clause. */
function matchClause(clause: string, lexicon: Lexicon, found: Map<string, number>): void {
  const words = splitWords(clause);
  let position = 0;
  while (position < words.length) {
    const phrase = longestMatch(words, position, lexicon);
    if (phrase !== undefined && !found.has(phrase)) {
      const sign = isNegated(words, position, phrase) ? -1 : 1;
      found.set(phrase, sign * (lexicon[phrase] ?? 0));
    }
    position += phrase === undefined ? 1 : phrase.split(" ").length;
  }
}

/**
 * The weight of the entries that a text contains. Longer phrases win over the words in them, each entry counts
 * once however often it is repeated, and an entry after a negation counts against itself.
 */
export function lexiconSum(text: string, lexicon: Lexicon): number {
  const found = new Map<string, number>();
  for (const clause of text.split(/[.!?,;:"]/)) matchClause(clause, lexicon, found);
  return [...found.values()].reduce((sum, weight) => sum + weight, 0);
}
