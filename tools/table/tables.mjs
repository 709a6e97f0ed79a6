/**
 * The tables of `npm run table`, by name: parts that can be asked for alone, the sizes that it has unless others are asked
 * for, what is trained, the page and its file, and a run in a few words.
 */
import { fpoParts, runFpo } from "./fpo.mjs";
import { fpoPage } from "./fpoPage.mjs";
import { methodIds, runObjectives } from "./objectives.mjs";
import { objectivesPage } from "./objectivesPage.mjs";
import { optuneParts, optuneRunName, optuneStart, runOptune } from "./optune.mjs";
import { optunePage } from "./optunePage.mjs";
import { runName, SEEDS, STEPS } from "./training.mjs";

const start = { seeds: SEEDS, steps: STEPS, pages: 2, backend: "cpu" };

export const tables = {
  objectives: {
    parts: methodIds,
    start,
    run: ({ objectives, parts, ...rest }) =>
      runObjectives({ objectives: parts.map((id) => objectives[id]), ...rest }),
    page: objectivesPage,
    file: "docs/tables/objectives.md",
    nameOf: runName,
  },
  fpo: {
    parts: fpoParts,
    start,
    run: runFpo,
    page: fpoPage,
    file: "docs/tables/fpo.md",
    nameOf: runName,
  },
  optune: {
    parts: optuneParts,
    start: { ...start, ...optuneStart },
    run: runOptune,
    page: optunePage,
    file: "docs/tables/optune.md",
    nameOf: optuneRunName,
  },
};
