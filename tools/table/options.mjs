/** The options of `npm run table`. */

const numbers = {
  seeds: { low: 2, high: 50, help: "runs of every method that are averaged" },
  steps: { low: 1, high: 100_000, help: "optimizer steps of every run" },
  pages: { low: 1, high: 16, help: "pages that train at the same time" },
};
const backends = ["cpu", "webgpu"];

function readNumber(name, text) {
  const { low, high } = numbers[name];
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new Error(`--${name} is ${text}: give a whole number from ${low} to ${high}.`);
  return value;
}

function readParts(text, known) {
  const wanted = text.split(",").map((id) => id.trim());
  const unknown = wanted.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Error(`--only is ${text}: give some of ${known.join(",")}.`);
  return known.filter((id) => wanted.includes(id));
}

function readBackend(text) {
  if (!backends.includes(text)) throw new Error(`--backend is ${text}: give one of ${backends.join(", ")}.`);
  return text;
}

/**
 * Reads the command line. `tables` has for every table by its name its `parts` and its `start`, what is not asked for:
 * `{ seeds, steps, pages, backend }`. Gives `{ isHelp: true }`, or the fields of `start` with `table`, its `parts` and
 * `isPart`; throws one sentence on the first mistake.
 */
export function readTableOptions(args, tables) {
  const [table, ...rest] = args;
  if (args.length === 0 || args.includes("--help")) return { isHelp: true };
  if (!Object.hasOwn(tables, table))
    throw new Error(`There is no table ${table}: give one of ${Object.keys(tables).join(", ")}.`);
  const { parts, start } = tables[table];
  const options = { ...start, table, parts, isPart: false };
  while (rest.length > 0) {
    const [word, inline] = rest.shift().split("=", 2);
    const name = word.replace(/^--/, "");
    const isKnown = word.startsWith("--") && (name in numbers || name === "backend" || name === "only");
    if (!isKnown) throw new Error(`${word} is not an option: see npm run table -- --help.`);
    const text = inline ?? rest.shift();
    if (text === undefined) throw new Error(`${word} needs a value after it.`);
    if (name === "backend") options.backend = readBackend(text);
    else if (name === "only") {
      options.parts = readParts(text, parts);
      options.isPart = options.parts.length < parts.length;
    } else options[name] = readNumber(name, text);
  }
  return options;
}

/** What an option is where it is not given: one value, or one for each table. */
function otherwise(name, tables) {
  const values = Object.entries(tables).map(([table, { start }]) => [start[name], table]);
  const different = [...new Set(values.map(([value]) => value))];
  if (different.length === 1) return `otherwise ${different[0]}`;
  return `otherwise ${values.map(([value, table]) => `${value} (${table})`).join(", ")}`;
}

/** The text of `--help`. */
export function tableHelp(tables) {
  const line = (name, help) => `  --${name}\n    ${help}`;
  const known = Object.entries(tables).map(([table, { parts }]) => `${parts.join(",")} (${table})`);
  return [
    "Trains every method with several seeds and writes one page of tables; runs that are on disk already are kept.",
    "",
    ...Object.keys(tables).map((table) => `  npm run table -- ${table}`),
    "",
    "Options:",
    ...Object.entries(numbers).map(([name, { help }]) => line(name, `${help}; ${otherwise(name, tables)}`)),
    line("backend", `what computes: ${backends.join(" or ")}; ${otherwise("backend", tables)}`),
    line("only", `some of ${known.join(" or ")}; the page is then printed and not written`),
  ].join("\n");
}
