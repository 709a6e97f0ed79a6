/** Regular expressions as programs that run in time linear in the text, whatever the pattern. */

/** A step of a program: `next` and `other` are places in it. */
export type Instruction =
  | { readonly kind: "one"; readonly fits: (codePoint: number) => boolean; readonly next: number }
  | { readonly kind: "fork"; readonly next: number; readonly other: number }
  | { readonly kind: "assert"; readonly what: Assertion; readonly next: number }
  | { readonly kind: "match" };

/** What holds between two characters. */
export type Assertion = "start" | "end" | "boundary" | "noBoundary";

/** A pattern that cannot be run; the message says why. */
export class PatternError extends Error {
  override name = "PatternError";
}

/** Parts of a pattern. */
type Node =
  | { readonly kind: "one"; readonly source: string }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "all"; readonly parts: readonly Node[] }
  | { readonly kind: "any"; readonly choices: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number };

/** Steps of a program: more would make every character dear. */
const MOST_STEPS = 1000;
/** Parts that are written, among them those that need no step. */
const MOST_PARTS = 10 * MOST_STEPS;

function tooOften(): PatternError {
  return new PatternError(`it repeats its parts too often (more than ${MOST_STEPS} steps)`);
}

/**
 * The program of a pattern that is valid with the flag `u`. Throws `PatternError` where it looks ahead or back, or where
 * it is too large.
 */
export function compilePattern(pattern: string, flags: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  const add = (instruction: Instruction) => {
    if (instructions.length === MOST_STEPS) throw tooOften();
    instructions.push(instruction);
    return instructions.length - 1;
  };
  let parts = 0;
  // Written from the end to the beginning, so that what comes next is known.
  const write = (node: Node, next: number): number => {
    // Empty parts add nothing, and could be repeated for ever.
    if (++parts > MOST_PARTS) throw tooOften();
    switch (node.kind) {
      case "one":
        return add({ kind: "one", fits: characterTest(node.source, flags), next });
      case "assert":
        return add({ kind: "assert", what: node.what, next });
      case "all":
        return node.parts.reduceRight((after, part) => write(part, after), next);
      case "any":
        return node.choices
          .map((choice) => write(choice, next))
          .reduce((first, second) => add({ kind: "fork", next: first, other: second }));
      case "repeat":
        return writeRepeat(node, next);
    }
  };
  const writeRepeat = ({ part, least, most }: Extract<Node, { kind: "repeat" }>, next: number): number => {
    let start = next;
    if (most === Infinity) {
      const fork = add({ kind: "fork", next, other: next });
      instructions[fork] = { kind: "fork", next: write(part, fork), other: next };
      start = fork;
    }
    const optional = most === Infinity ? 0 : most - least;
    for (let count = 0; count < optional; count++) {
      start = add({ kind: "fork", next: write(part, start), other: next });
    }
    for (let count = 0; count < least; count++) start = write(part, start);
    return start;
  };
  const parsed = parsePattern(pattern);
  const end = add({ kind: "match" });
  const first = write(parsed, end);
  // The first instruction is where a program begins.
  add({ kind: "fork", next: first, other: first });
  return instructions.toReversed().map((instruction) => turned(instruction, instructions.length - 1));
}

/** An instruction of a program that was written backwards. */
function turned(instruction: Instruction, last: number): Instruction {
  if (instruction.kind === "match") return instruction;
  if (instruction.kind === "fork") {
    return { ...instruction, next: last - instruction.next, other: last - instruction.other };
  }
  return { ...instruction, next: last - instruction.next };
}

/** Whether a character is one of those that a part of one character stands for; answers are remembered. */
function characterTest(source: string, flags: string): (codePoint: number) => boolean {
  const expression = new RegExp(`^(?:${source})$`, flags);
  const known = new Map<number, boolean>();
  return (codePoint) => {
    let fits = known.get(codePoint);
    if (fits === undefined) {
      fits = expression.test(String.fromCodePoint(codePoint));
      known.set(codePoint, fits);
    }
    return fits;
  };
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  "^": "start",
  $: "end",
  "\\b": "boundary",
  "\\B": "noBoundary",
};
/** An escape, a class or a single character of a valid pattern. */
const ATOM =
  /\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[a-zA-Z]|[pP]\{[^}]*\}|k<[^>]*>|[1-9]\d*|.)|\[(?:\\.|[^\\\]])*\]|[^\\]/suy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,(\d*))?\})\??/y;

function parsePattern(pattern: string): Node {
  let at = 0;
  const take = (expression: RegExp) => {
    expression.lastIndex = at;
    const found = expression.exec(pattern);
    if (found !== null) at += found[0].length;
    return found;
  };
  const choices = (): Node => {
    const found = [sequence()];
    while (pattern[at] === "|") {
      at++;
      found.push(sequence());
    }
    return { kind: "any", choices: found };
  };
  const sequence = (): Node => {
    const parts: Node[] = [];
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") parts.push(quantified(atom()));
    return { kind: "all", parts };
  };
  const atom = (): Node => {
    if (pattern[at] === "(") {
      if (take(/\((?:\?:|\?<(?![=!])[^>]*>)?(?!\?)/y) === null) {
        throw new PatternError("it looks ahead or back, which is not done here");
      }
      const inner = choices();
      at++;
      return inner;
    }
    const source = take(ATOM)?.[0] ?? "";
    if (/^\\(?:[1-9]|k<)/.test(source)) {
      throw new PatternError("it refers back to a group, which is not done here");
    }
    const what = ASSERTIONS[source];
    return what === undefined ? { kind: "one", source } : { kind: "assert", what };
  };
  const quantified = (part: Node): Node => {
    const found = take(QUANTIFIER);
    if (found === null) return part;
    const [, sign, from = "0", range, to = ""] = found;
    if (sign !== undefined) {
      return { kind: "repeat", part, least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Infinity };
    }
    const least = Number(from);
    const most = range === undefined ? least : to === "" ? Infinity : Number(to);
    if (least > MOST_STEPS || (most !== Infinity && most > MOST_STEPS)) throw tooOften();
    return { kind: "repeat", part, least, most };
  };
  return choices();
}
