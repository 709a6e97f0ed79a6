import { compilePattern, PatternError, type Assertion, type Instruction } from "./patternProgram.ts";

/** Characters of a search. */
const LONGEST_SEARCH = 500;
const EXPRESSION = /^\/(.+)\/([a-z]*)$/s;

/**
 * Whether a text holds what is searched: a piece of text whatever its case, or between slashes a regular expression, with
 * `i`, `m` and `s` behind it. An expression is run in time linear in the text: it cannot hang, and has neither back
 * references nor looking around. Throws `PatternError` for one that is not valid.
 */
export function textSearch(search: string): (text: string) => boolean {
  if (search.length > LONGEST_SEARCH) {
    throw new PatternError(
      `A search has at most ${LONGEST_SEARCH} characters; this one has ${search.length}.`,
    );
  }
  const [, pattern, flags = ""] = EXPRESSION.exec(search) ?? [];
  if (pattern === undefined) {
    const wanted = search.toLowerCase();
    return (text) => text.toLowerCase().includes(wanted);
  }
  try {
    checkFlags(flags);
    const used = `u${flags.replaceAll(/[^is]/g, "")}`;
    // Says what is wrong with it.
    void new RegExp(pattern, used);
    const program = compilePattern(pattern, used);
    return matcher(program, flags.includes("m"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PatternError(`"${search}" is no regular expression that can be searched: ${reason}.`);
  }
}

function checkFlags(flags: string): void {
  const unknown = /[^gimsu]/.exec(flags)?.[0];
  if (unknown !== undefined) throw new PatternError(`the flag "${unknown}" means nothing here`);
}

/**
 * Whether a program matches anywhere in a text: all places it can be in are followed side by side, one character after
 * another.
 */
function matcher(program: readonly Instruction[], isMultiline: boolean): (text: string) => boolean {
  const marks = new Float64Array(program.length).fill(-1);
  const pending: number[] = [];
  let step = 0;
  /** Follows everything that reads no character; adds what does to `reached`. True at a match. */
  const follow = (start: number, between: Between, reached: number[]): boolean => {
    pending.push(start);
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (marks[place] === step) continue;
      marks[place] = step;
      const instruction = program[place];
      if (instruction === undefined || instruction.kind === "match") {
        pending.length = 0;
        return true;
      }
      if (instruction.kind === "one") reached.push(place);
      else if (instruction.kind === "fork") pending.push(instruction.other, instruction.next);
      else if (isTrue(instruction.what, between)) pending.push(instruction.next);
    }
    return false;
  };
  return (text) => {
    let [threads, reached]: [number[], number[]] = [[], []];
    const between = { before: -1, here: -1, isMultiline };
    for (let at = 0; at <= text.length; at += between.here > LAST_OF_ONE_UNIT ? 2 : 1) {
      step++;
      const read = between.here;
      between.before = read;
      between.here = text.codePointAt(at) ?? -1;
      for (const place of threads) {
        const instruction = program[place];
        if (instruction?.kind !== "one" || !instruction.fits(read)) continue;
        if (follow(instruction.next, between, reached)) return true;
      }
      // A match can begin at every character.
      if (follow(0, between, reached)) return true;
      [threads, reached] = [reached, threads];
      reached.length = 0;
    }
    return false;
  };
}

/** The last character that takes one place in a text. */
const LAST_OF_ONE_UNIT = 0xffff;

/** What stands on both sides of a place in a text; −1 for its ends. */
interface Between {
  before: number;
  here: number;
  readonly isMultiline: boolean;
}

const LINE_ENDS: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x2028, 0x2029]);

function isWord(codePoint: number): boolean {
  return codePoint >= 0 && /\w/.test(String.fromCodePoint(codePoint));
}

/** Whether an assertion holds between two characters. */
function isTrue(what: Assertion, { before, here, isMultiline }: Between): boolean {
  switch (what) {
    case "start":
      return before === -1 || (isMultiline && LINE_ENDS.has(before));
    case "end":
      return here === -1 || (isMultiline && LINE_ENDS.has(here));
    case "boundary":
      return isWord(before) !== isWord(here);
    case "noBoundary":
      return isWord(before) === isWord(here);
  }
}
