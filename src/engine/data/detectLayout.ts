/** Which layout rows are in, told by their columns and the types of their values. */
import { cellsOf, isAccepted } from "./formats/cells.ts";
import { BadRow, type DataFormat, type RawRow, type Role } from "./formats/dataFormat.ts";
import { dataFormats } from "./formats/index.ts";
import { trlExplicit } from "./formats/trlExplicit.ts";

/** Rows to tell a layout by. */
export interface Sample {
  readonly rows: readonly RawRow[];
  /** Every value is a text, whatever it stands for. */
  readonly isTextOnly: boolean;
}

/** What was found of a layout. */
export interface Detection {
  readonly format: DataFormat;
  readonly columns: Readonly<Record<string, string>>;
  /** The columns are this layout's exactly, and no other layout's as well. */
  readonly isCertain: boolean;
  /** Ids of other layouts that the rows could be read as. */
  readonly alternatives: readonly string[];
}

interface Candidate {
  readonly format: DataFormat;
  readonly columns: Readonly<Record<string, string>>;
  /** Rows that have everything the layout needs. */
  readonly fitting: number;
  /** Columns that tell the layout, in all fitting rows. */
  readonly score: number;
}

/** Share of rows that must be of the layout for it to be certain. */
const CERTAIN_SHARE = 0.5;

function needed({ roles }: DataFormat): readonly Role[] {
  return roles.filter(({ isOptional }) => !isOptional);
}

/** Columns under the names that a layout gives them. */
function defaultColumns({ roles }: DataFormat): Record<string, string> {
  return Object.fromEntries(roles.map(({ id, column }) => [id, column]));
}

/** Whether a row has everything that a layout needs, under these columns. */
function fits(raw: RawRow, { format, columns }: Pick<Candidate, "format" | "columns">, isTextOnly: boolean) {
  const isThere = needed(format).every(({ id, accepts }) =>
    isAccepted(raw[columns[id] ?? id], accepts, isTextOnly),
  );
  if (!isThere) return false;
  try {
    return format.recognises?.(cellsOf(raw, { roles: format.roles, columns, isTextOnly })) ?? true;
  } catch (error) {
    if (error instanceof BadRow) return false;
    throw error;
  }
}

function weigh(format: DataFormat, columns: Readonly<Record<string, string>>, sample: Sample): Candidate {
  const fitting = sample.rows.filter((raw) => fits(raw, { format, columns }, sample.isTextOnly)).length;
  return { format, columns, fitting, score: fitting * needed(format).length };
}

function plain(column: string): string {
  return column.toLowerCase().replaceAll(/[\s-]+/g, "_");
}

/** How well a column's name says that it is for a role, 0 for not at all. */
function likeness({ id, column, aliases }: Role, name: string): number {
  if (name === column) return 1000;
  const written = plain(name);
  if (written === plain(column)) return 900;
  const place = aliases.indexOf(written);
  if (place >= 0) return 800 - place;
  return written.split("_").includes(plain(id)) ? 1 : 0;
}

/** The best guess of a layout's columns: names that are like its own, each column for one role. */
function guessColumns(format: DataFormat, sample: Sample): Record<string, string> {
  const names = [...new Set(sample.rows.flatMap((raw) => Object.keys(raw)))];
  const isOfType = (name: string, { accepts }: Role) =>
    2 * sample.rows.filter((raw) => isAccepted(raw[name], accepts, sample.isTextOnly)).length >=
    sample.rows.length;
  const pairs = format.roles
    .flatMap((role) => names.map((name) => ({ role, name, likeness: likeness(role, name) })))
    .filter((pair) => pair.likeness > 0 && isOfType(pair.name, pair.role))
    .toSorted((a, b) => b.likeness - a.likeness);
  const columns = defaultColumns(format);
  const [named, taken] = [new Set<string>(), new Set<string>()];
  for (const { role, name } of pairs) {
    if (named.has(role.id) || taken.has(name)) continue;
    columns[role.id] = name;
    named.add(role.id);
    taken.add(name);
  }
  return columns;
}

/** Best first; of equals the one that is listed first. */
function ranked(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ score }) => score > 0).toSorted((a, b) => b.score - a.score);
}

/** The layout that has most of its columns in the rows, where none has all of them; pairs with a prompt where none has any. */
function nearest(sample: Sample): Detection {
  const found = dataFormats.map((format) => {
    const columns = guessColumns(format, sample);
    const roles = needed(format);
    const present = roles.filter(({ id }) => sample.rows.some((raw) => raw[columns[id] ?? id] !== undefined));
    return { format, columns, present: present.length, share: present.length / roles.length };
  });
  const [best] = found
    .filter(({ present }) => present > 0)
    .toSorted((a, b) => b.share - a.share || b.present - a.present);
  return {
    format: best?.format ?? trlExplicit,
    columns: best?.columns ?? defaultColumns(trlExplicit),
    isCertain: false,
    alternatives: [],
  };
}

/**
 * Tells the layout of rows. Exact columns win, unless guessed ones make a richer layout: then, and where two layouts fit
 * equally or a layout leaves a choice, the answer is a guess that a person should look at.
 */
export function detectLayout(sample: Sample): Detection {
  const exact = ranked(dataFormats.map((format) => weigh(format, defaultColumns(format), sample)));
  const guessed = ranked(dataFormats.map((format) => weigh(format, guessColumns(format, sample), sample)));
  const [first, second] = exact;
  const [guess] = guessed;
  const isExact = first !== undefined && first.score >= (guess?.score ?? 0);
  const best = isExact ? first : guess;
  if (best === undefined) return nearest(sample);
  const isTied = second?.score === best.score && best.format.narrows !== second.format.id;
  return {
    format: best.format,
    columns: best.columns,
    isCertain:
      isExact &&
      !isTied &&
      best.format.needsChoice !== true &&
      best.fitting >= CERTAIN_SHARE * sample.rows.length,
    alternatives: [...new Set([...exact, ...guessed].map(({ format }) => format.id))].filter(
      (id) => id !== best.format.id,
    ),
  };
}

/** A layout that was asked for, with the columns that were named by hand and guesses for the others. */
export function fitLayout(
  format: DataFormat,
  sample: Sample,
  byHand: Readonly<Record<string, string>>,
): Omit<Detection, "alternatives"> {
  const columns = { ...guessColumns(format, sample), ...byHand };
  return { format, columns, isCertain: weigh(format, columns, sample).fitting > 0 };
}
