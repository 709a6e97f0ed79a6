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
 * Reads the command line; `start` holds what is not asked for, `{ seeds, steps, pages, backend }`, and `parts` the parts
 * of every table by its name. Gives `{ isHelp: true }`, or the fields of `start` with `table`, its `parts` and `isPart`;
 * throws one sentence on the first mistake.
 */
export function readTableOptions(args, start, parts) {
  const [table, ...rest] = args;
  if (args.length === 0 || args.includes("--help")) return { isHelp: true };
  if (!(table in parts))
    throw new Error(`There is no table ${table}: give one of ${Object.keys(parts).join(", ")}.`);
  const options = { ...start, table, parts: parts[table], isPart: false };
  while (rest.length > 0) {
    const [word, inline] = rest.shift().split("=", 2);
    const name = word.replace(/^--/, "");
    const isKnown = word.startsWith("--") && (name in numbers || name === "backend" || name === "only");
    if (!isKnown) throw new Error(`${word} is not an option: see npm run table -- --help.`);
    const text = inline ?? rest.shift();
    if (text === undefined) throw new Error(`${word} needs a value after it.`);
    if (name === "backend") options.backend = readBackend(text);
    else if (name === "only") {
      options.parts = readParts(text, parts[table]);
      options.isPart = options.parts.length < parts[table].length;
    } else options[name] = readNumber(name, text);
  }
  return options;
}

/** The text of `--help`. */
export function tableHelp(start, parts) {
  const line = (name, help) => `  --${name}\n    ${help}`;
  const known = Object.entries(parts).map(([table, names]) => `${names.join(",")} (${table})`);
  return [
    "Trains every method with several seeds and writes one page of tables; runs that are on disk already are kept.",
    "",
    ...Object.keys(parts).map((table) => `  npm run table -- ${table}`),
    "",
    "Options:",
    ...Object.entries(numbers).map(([name, { help }]) => line(name, `${help}; otherwise ${start[name]}`)),
    line("backend", `what computes: ${backends.join(" or ")}; otherwise ${start.backend}`),
    line("only", `some of ${known.join(" or ")}; the page is then printed and not written`),
  ].join("\n");
}
