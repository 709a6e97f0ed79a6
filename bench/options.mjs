/** The command line of both benchmarks. */

const usage = (command) =>
  [
    `Usage: npm run ${command} [-- --only TEXT] [--json FILE] [--list]`,
    "  --only TEXT  measures only cases whose name contains TEXT, also where they are heavy; may be repeated",
    "  --json FILE  writes the results there, after every case",
    "  --list       prints the names of all cases",
  ].join("\n");

/** `{ only, jsonFile, isList }`; throws the usage for anything else. */
export function readOptions(command, args) {
  const options = { only: [], jsonFile: undefined, isList: false };
  const rest = [...args];
  while (rest.length > 0) {
    const option = rest.shift();
    const value = option === "--list" ? "" : rest.shift();
    if (option === "--list") options.isList = true;
    else if (option === "--only" && value) options.only.push(value);
    else if (option === "--json" && value) options.jsonFile = value;
    else throw new Error(usage(command));
  }
  return options;
}
