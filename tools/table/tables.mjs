/** The tables of `npm run table`, by name: parts that can be asked for alone, what is trained, and the page. */
import { fpoParts, runFpo } from "./fpo.mjs";
import { fpoPage } from "./fpoPage.mjs";
import { methodIds, runObjectives } from "./objectives.mjs";
import { objectivesPage } from "./objectivesPage.mjs";

export const tables = {
  objectives: {
    parts: methodIds,
    run: ({ objectives, parts, ...rest }) =>
      runObjectives({ objectives: parts.map((id) => objectives[id]), ...rest }),
    page: objectivesPage,
  },
  fpo: { parts: fpoParts, run: runFpo, page: fpoPage },
};
