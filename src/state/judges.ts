/** Who judges: the judges in use and the one kept aside, what a default stands for, and the endpoint. */
import { runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import type { Description } from "../worker/description.ts";
import {
  isLoopback,
  isOpen,
  noAddress,
  noRewardModel,
  type JudgeCard,
  type JudgeEndpoint,
  type JudgeList,
  type JudgeSpec,
  type RewardModelSummary,
  type WeightedJudge,
} from "../worker/protocol.ts";
import { createAsker, sentenceOf } from "./asked.ts";
import { issueSentence } from "./configChanges.ts";
import { callTrainer } from "./connection.ts";
import { edit } from "./editing.ts";
import { refreshPreflight } from "./loading.ts";
import { raiseError } from "./messageStore.ts";
import { useSetupStore } from "./setupStore.ts";

/** The judges that there are. */
export const judgeList = createAsker("listJudges");

// Another trainer has no endpoint, and none of the reward models that were trained with the last one.
useSetupStore.subscribe(({ loaded }, previous) => {
  if (loaded === null && previous.loaded !== null) judgeList.forget();
});

/** Asks again which judges there are, and what the setup lacks with them. */
export async function refreshJudges(): Promise<void> {
  await judgeList.ask(null);
  await refreshPreflight().catch(raiseError);
}

/** Asks which judges there are, once for everything that is loaded. */
export function ensureJudges(): void {
  const { loaded } = useSetupStore.getState();
  judgeList.ensure(loaded === null ? "" : [loaded.backend, loaded.model, loaded.data].join(" "), null);
}

/** What the judges of a configuration are worked out from. */
export interface JudgeCircumstances {
  readonly config: Pick<RunConfig, "model" | "data" | "objective" | "judges" | "heldoutJudge">;
  readonly description: Description | null;
}

/** The judge that a set brings along; null where it has none. */
function ownProgram({ config, description }: JudgeCircumstances): JudgeSpec | null {
  const objective = objectiveOf({ config, description });
  return objective === undefined ? null : { kind: "program", id: objective.judge };
}

function objectiveOf({ config, description }: JudgeCircumstances) {
  if (description === null) return undefined;
  const objectives = description.datasets.find(({ id }) => id === config.data)?.objectives ?? [];
  return objectives.find(({ id }) => id === config.objective) ?? objectives[0];
}

/** The judges that rank, choose and weigh: those chosen, or else the set's reward model or program. */
export function judgesInUse({ config, description }: JudgeCircumstances): readonly WeightedJudge[] {
  if (config.judges.length > 0) return config.judges;
  const objective = objectiveOf({ config, description })?.id;
  const rewardModel = description?.rewardModels.find(
    ({ model, data, objective: aim }) => model === config.model && data === config.data && aim === objective,
  );
  if (rewardModel !== undefined) {
    return [{ judge: { kind: "rewardModel", id: rewardModel.id }, weight: 1 }];
  }
  const program = ownProgram({ config, description });
  return program === null ? [] : [{ judge: program, weight: 1 }];
}

/** The judge that no selection and no weight sees; null where there is none. */
export function judgeKeptAside(circumstances: JudgeCircumstances): JudgeSpec | null {
  const { heldoutJudge } = circumstances.config;
  if (heldoutJudge !== null) return heldoutJudge;
  const program = ownProgram(circumstances);
  return program !== null && isUsed(program, circumstances) ? null : program;
}

/** Whether a judge is among those that rank, choose and weigh; with a weight of 0 it does none of it. */
export function isUsed(judge: JudgeSpec, circumstances: JudgeCircumstances): boolean {
  return judgesInUse(circumstances).some((used) => used.weight !== 0 && isSame(used.judge, judge));
}

/** Whether two judges are one with the same settings, in whatever order a link names them. */
function isSame(one: JudgeSpec, other: JudgeSpec): boolean {
  return printOf(one) === printOf(other);
}

function printOf(judge: JudgeSpec): string {
  return JSON.stringify(Object.entries(judge).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Puts a judge in use beside those that are. */
export function addJudge(judge: JudgeSpec): void {
  const setup = useSetupStore.getState();
  const used = judgesInUse(setup);
  if (used.some((other) => isSame(other.judge, judge))) return;
  edit({ judges: [...used, { judge, weight: 1 }] });
}

/** Takes a judge out of use by its place; without any, the set's own is used again. */
export function removeJudge(place: number): void {
  edit({ judges: judgesInUse(useSetupStore.getState()).filter((_, index) => index !== place) });
}

/** Lets a judge count so much, by its place. */
export function weighJudge(place: number, weight: number): void {
  const judges = judgesInUse(useSetupStore.getState());
  edit({ judges: judges.map((used, index) => (index === place ? { ...used, weight } : used)) });
}

/** Uses what belongs to the set again. */
export function resetJudges(): void {
  edit({ judges: [] });
}

/** Keeps a judge aside; null for the set's own. */
export function keepAside(heldoutJudge: JudgeSpec | null): void {
  edit({ heldoutJudge });
}

/** The name of a judge. */
export function judgeLabel(judge: JudgeSpec, list: JudgeList | null): string {
  switch (judge.kind) {
    case "program":
      return labelIn(list?.programs, judge.id);
    case "words":
      return `Words: ${sides(judge.liked, judge.disliked)}`;
    case "length":
      return `Near ${judge.words} words`;
    case "pattern":
      return `Matches ${judge.pattern}`;
    case "contains":
      return `Contains ${sides(judge.wanted, judge.avoided)}`;
    case "rewardModel":
      return labelIn(list?.rewardModels, judge.id);
    case "implicit":
    case "person":
      return kindLabel(judge, list);
    case "endpoint":
      return list?.endpoint?.model ?? kindLabel(judge, list);
  }
}

function labelIn(
  cards: readonly { readonly id: string; readonly label: string }[] | undefined,
  wanted: string,
): string {
  return cards?.find(({ id }) => id === wanted)?.label ?? wanted;
}

function kindLabel(judge: JudgeSpec, list: JudgeList | null): string {
  return cardOf(judge, list)?.label ?? judge.kind;
}

/** What the trainer says of a judge's kind. */
export function cardOf({ kind }: JudgeSpec, list: JudgeList | null): JudgeCard | undefined {
  return list?.kinds.find((card) => card.kind === kind);
}

/** Words that are named, of a longer list. */
const mostNamed = 3;

function sides(wanted: readonly string[], avoided: readonly string[]): string {
  const named = (texts: readonly string[]) =>
    texts.slice(0, mostNamed).join(", ") + (texts.length > mostNamed ? "…" : "");
  return [
    ...(wanted.length > 0 ? [named(wanted)] : []),
    ...(avoided.length > 0 ? [`not ${named(avoided)}`] : []),
  ].join("; ");
}

function rewardModelOf(id: string, list: JudgeList | null): RewardModelSummary | undefined {
  return list?.rewardModels.find((model) => model.id === id);
}

/** Why settings make no judge, in a sentence; null where they do. */
export function judgeFlaw(judge: JudgeSpec): string | null {
  const { error } = runConfigSchema.shape.heldoutJudge.safeParse(judge);
  return error === undefined ? null : issueSentence(error.issues[0]!);
}

/** Why a judge cannot score now, in the trainer's words; "" where nothing is known against it. */
export function judgeProblem(judge: JudgeSpec, list: JudgeList | null): string {
  if (list === null) return "";
  if (judge.kind === "endpoint" && list.endpoint === null) return noAddress;
  if (judge.kind !== "rewardModel") return "";
  const model = rewardModelOf(judge.id, list);
  return model === undefined ? noRewardModel(judge.id) : model.problem;
}

/** Which way texts go to an address: they stay here, or others on the way can or cannot read them. Throws for what is no address. */
export function wayTo(url: string): "here" | "open" | "closed" {
  if (isLoopback(url)) return "here";
  return isOpen(url) ? "open" : "closed";
}

/** Hands an endpoint to the trainer, which alone keeps its secret; null forgets it. The answer says why it was refused. */
export async function tellEndpoint(endpoint: JudgeEndpoint | null): Promise<string | null> {
  try {
    await callTrainer("setEndpoint", { endpoint });
  } catch (error) {
    return sentenceOf(error);
  }
  await refreshJudges();
  return null;
}
