import { compilePattern, PatternError, type Assertion, type Instruction } from "./patternProgram.ts";

/** Characters of a search. */
const LONGEST_SEARCH = 500;
const EXPRESSION = /^\/(.+)\/([a-z]*)$/s;

/**
 * Whether a text holds what is searched: a piece of text whatever its case, or between slashes a regular expression, with
 * `i`, `m` and `s` behind it. Throws `PatternError` as `patternSearch` does.
 */
export function textSearch(search: string): (text: string) => boolean {
  if (EXPRESSION.test(search)) return patternSearch(search);
  checkLength(search);
  const wanted = search.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}

/**
 * Whether a text matches a regular expression anywhere, written bare, or between slashes with `i`, `m` and `s` behind it. It
 * is run in time linear in the text: it cannot hang, and has neither back references nor looking around. Throws
 * `PatternError` for one that is not valid or too long.
 */
export function patternSearch(search: string): (text: string) => boolean {
  checkLength(search);
  const [, pattern = search, flags = ""] = EXPRESSION.exec(search) ?? [];
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

function checkLength({ length }: string): void {
  if (length <= LONGEST_SEARCH) return;
  throw new PatternError(`A search has at most ${LONGEST_SEARCH} characters; this one has ${length}.`);
}

function checkFlags(flags: string): void {
  const unknown = /[^gimsu]/.exec(flags)?.[0];
  if (unknown !== undefined) throw new PatternError(`the flag "${unknown}" means nothing here`);
}

/** All places that a program can be in at once, and where they lead. */
interface State {
  /** Places that read a character. */
  readonly places: readonly number[];
  /** By the character that is read and the kind of the one behind it: the state after it, or null for a match. */
  readonly after: Map<number, State | null>;
}

/** What a character is to an assertion; a letter is a digit or an underscore too. */
const [END, LINE_END, LETTER, OTHER] = [0, 1, 2, 3];
const KINDS = 4;
/** States that are remembered; a pattern with more forgets them now and then. */
const MOST_STATES = 1000;

/**
 * Whether a program matches anywhere in a text: all places it can be in are followed side by side, one character after
 * another. Where they lead is remembered, so that most characters take one look.
 */
function matcher(program: readonly Instruction[], isMultiline: boolean): (text: string) => boolean {
  const start: State = { places: [], after: new Map() };
  const states = new Map<string, State>();
  const stateOf = (places: readonly number[]): State => {
    const key = places.join(" ");
    const known = states.get(key) ?? { places, after: new Map<number, State | null>() };
    if (states.size === MOST_STATES) forget();
    states.set(key, known);
    return known;
  };
  const forget = () => {
    for (const { after } of [start, ...states.values()]) after.clear();
    states.clear();
  };
  /** The state between two characters, the first of which was read; null at a match. */
  const lead = (places: readonly number[], read: number, kind: number): State | null => {
    const between = { before: kindOf(read), here: kind, isMultiline };
    const next = places.flatMap((place) => {
      const instruction = program[place];
      return instruction?.kind === "one" && instruction.fits(read) ? instruction.next : [];
    });
    // A match can begin at every character.
    const reached = follow(program, [...next, 0], between);
    return reached === null ? null : stateOf(reached);
  };
  return (text) => {
    let state = start;
    let read = -1;
    for (let at = 0; at <= text.length; at += read > LAST_OF_ONE_UNIT ? 2 : 1) {
      const here = text.codePointAt(at) ?? -1;
      const kind = kindOf(here);
      const edge = (read + 1) * KINDS + kind;
      let after = state.after.get(edge);
      if (after === undefined) {
        after = lead(state.places, read, kind);
        state.after.set(edge, after);
      }
      if (after === null) return true;
      state = after;
      read = here;
    }
    return false;
  };
}

/** The places that read a character, reached from others without reading one, in rising order; null at a match. */
function follow(
  program: readonly Instruction[],
  from: readonly number[],
  between: Between,
): readonly number[] | null {
  const seen = new Set<number>();
  const pending = [...from];
  const reached: number[] = [];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (seen.has(place)) continue;
    seen.add(place);
    const instruction = program[place];
    if (instruction === undefined || instruction.kind === "match") return null;
    if (instruction.kind === "one") reached.push(place);
    else if (instruction.kind === "fork") pending.push(instruction.other, instruction.next);
    else if (isTrue(instruction.what, between)) pending.push(instruction.next);
  }
  return reached.toSorted((first, second) => first - second);
}

/** The last character that takes one place in a text. */
const LAST_OF_ONE_UNIT = 0xffff;

/** Kinds of the characters on both sides of a place in a text. */
interface Between {
  readonly before: number;
  readonly here: number;
  readonly isMultiline: boolean;
}

const LINE_ENDS: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x2028, 0x2029]);
/** 1 for every character that `\w` stands for. */
const LETTERS = Uint8Array.from({ length: 128 }, (_, code) => Number(/\w/.test(String.fromCharCode(code))));

function kindOf(codePoint: number): number {
  if (codePoint === -1) return END;
  if (LINE_ENDS.has(codePoint)) return LINE_END;
  const isLetter = codePoint < LETTERS.length && LETTERS[codePoint] === 1;
  return isLetter ? LETTER : OTHER;
}

/** Whether an assertion holds between two characters. */
function isTrue(what: Assertion, { before, here, isMultiline }: Between): boolean {
  switch (what) {
    case "start":
      return before === END || (isMultiline && before === LINE_END);
    case "end":
      return here === END || (isMultiline && here === LINE_END);
    case "boundary":
      return (before === LETTER) !== (here === LETTER);
    case "noBoundary":
      return (before === LETTER) === (here === LETTER);
  }
}
