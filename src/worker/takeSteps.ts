/** The steps of a set, with the model, the judges and the other sets that they ask for. */
import { applySteps, type SteppedSet } from "../engine/data/steps/applySteps.ts";
import { asRead } from "../engine/data/steps/setRow.ts";
import { DataStepError, type OtherSet } from "../engine/data/steps/stepContext.ts";
import { tokenizePairs, type TokenizeOptions } from "../engine/data/tokenizePairs.ts";
import { tokensOf } from "../engine/data/health/checkedRow.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import type { ShippedReference } from "../engine/reference/referenceCache.ts";
import { embedTexts } from "../engine/training/embedTexts.ts";
import { embeddedDatasets } from "../engine/data/embedded.ts";
import { takingTurns } from "./inTurns.ts";
import type { Commands } from "./protocol.ts";
import { readEmbedded, type RawSet, type SetSources } from "./readSet.ts";

/** What steps are taken with. */
export interface StepSources extends Pick<SetSources, "fetchFile"> {
  readonly loaded: LoadedModel;
  readonly options: TokenizeOptions;
}

/** A set after its steps, and all reference log-probs that came along with its parts. */
export interface TakenSteps extends SteppedSet {
  readonly shipped: ShippedReference | undefined;
}

/** Takes a set's steps in order. Rejects with `DataStepError` for one that cannot be done. */
export async function takeSteps(
  raw: RawSet,
  { objective, steps }: Pick<Commands["loadData"]["question"], "objective" | "steps">,
  { loaded, options, fetchFile }: StepSources,
): Promise<TakenSteps> {
  const { model, tokenizer } = loaded;
  let { shipped } = raw;
  const readOther = async (data: string, wanted: string): Promise<OtherSet> => {
    const dataset = embeddedDatasets.find(({ id }) => id === data);
    const named = dataset?.objectives.find(({ id }) => id === wanted || wanted === "");
    if (dataset === undefined || named === undefined) {
      throw new DataStepError(
        `There is no embedded set "${data}"${wanted === "" ? "" : ` with an objective "${wanted}"`} to mix in: choose another.`,
      );
    }
    const own = dataset.objectives.find(({ id }) => id === objective) ?? dataset.objectives[0];
    if (data === raw.id && named === own) {
      throw new DataStepError(
        `"${dataset.label}" is the set itself: choose another set or objective to mix in.`,
      );
    }
    const other = await readEmbedded({ id: data, objective: named.id }, { fetchFile });
    shipped = bothShipped(shipped, other.shipped);
    return { label: `${other.label}: ${named.label}`, rows: other.train, judge: other.judge };
  };
  const stepped = await applySteps(asRead(raw.train, raw.heldout, raw.judge), steps, {
    encode: (text) => tokenizer.encode(text, { addSpecialTokens: false }),
    measure: (row) => {
      const [pair] = tokenizePairs([row], options).pairs;
      return pair === undefined ? null : tokensOf(pair);
    },
    embed: (texts) =>
      embedTexts(
        model,
        texts.map((text) => Int32Array.from(tokenizer.encode(text, { addSpecialTokens: true }))),
      ),
    readSet: readOther,
    giveWay: takingTurns(),
  });
  return { ...stepped, shipped };
}

/** Log-probs of both, where they belong to the same weights. */
function bothShipped(
  first: ShippedReference | undefined,
  second: ShippedReference | undefined,
): ShippedReference | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  if (first.weights !== second.weights) return first;
  return { weights: first.weights, logps: { ...second.logps, ...first.logps } };
}
