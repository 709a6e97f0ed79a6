/** Answers to what the page asks of features: each looks at one autoencoder, and maybe at the policy, alone on the device. */
import { changeReport } from "../engine/features/changeReport.ts";
import { featureDetail } from "../engine/features/featureDetail.ts";
import { directLogits } from "../engine/features/featureLogits.ts";
import { promptFeatures } from "../engine/features/promptFeatures.ts";
import { generate, type GenerationOptions } from "../engine/generation/generate.ts";
import { referenceWeights, type Weights } from "../engine/models/weights.ts";
import { refuse } from "./errorReport.ts";
import { readerOf, type CorpusSources, type FeatureCorpora, type SeenPolicy } from "./featureCorpora.ts";
import type { OwnModel } from "./keptReference.ts";
import type { Commands, LookedAt } from "./protocol.ts";

/** Seed of the permutations of a change report: the same run gives the same report. */
const REPORT_SEED = 1;

/** What is looked at. */
export interface Looking {
  readonly from: CorpusSources;
  readonly corpora: FeatureCorpora;
  /** Null before a run. */
  readonly policy: SeenPolicy | null;
}

type Question<Name extends keyof Commands> = Commands[Name]["question"];
type Answer<Name extends keyof Commands> = Promise<Commands[Name]["answer"]>;

/** What every feature does on the pairs. */
export async function tellTable({ from, corpora }: Looking): Answer<"featureTable"> {
  const { table } = await corpora.before(from);
  return { sae: from.shelved.summary, ...table };
}

/** What one feature does on the pairs, before and after a run. */
export async function tellDetail(
  { from, corpora, policy }: Looking,
  { sae, feature }: Question<"featureDetail">,
): Answer<"featureDetail"> {
  const { corpus, table } = await corpora.beside(from, policy);
  const { owner } = from;
  const logits = await directLogits(readerOf(from, untouched(owner)), feature);
  const name = table.names[feature] ?? "";
  return { sae, ...featureDetail(corpus, feature, { name, logits, decoder: owner.tokenizer }) };
}

/** The features of a text, token by token. */
export async function tellPrompt(
  { from, corpora, policy }: Looking,
  { sae, text, policy: wanted }: Question<"promptFeatures">,
): Answer<"promptFeatures"> {
  const { table } = await corpora.before(from);
  const { tokenizer } = from.owner;
  const ids = tokenizer.encode(text, { addSpecialTokens: true });
  const labels = { tokens: tokenizer.decodeTokens(ids), names: table.names };
  const reader = readerOf(from, wantedWeights(from.owner, wanted, policy));
  return { sae, policy: wanted, ...(await promptFeatures(reader, Int32Array.from(ids), labels)) };
}

/** What the run changed; refuses before its first step. */
export async function tellChanges(
  { from, corpora, policy }: Looking,
  { sae }: Question<"changeReport">,
): Answer<"changeReport"> {
  if (policy === null || policy.step === 0) return refuseUntrained();
  const { corpus, table } = await corpora.beside(from, policy);
  const report = changeReport(corpus, { names: table.names, seed: REPORT_SEED });
  return { sae, step: policy.step, ...report };
}

/** Writes on from a prompt twice with the same seed, without and with steering. */
export async function writeBoth({ from, policy }: Looking, question: Question<"steer">): Answer<"steer"> {
  const { owner, shelved } = from;
  const { steering, prompt, policy: wanted, ...drawing } = question;
  const { model, tokenizer } = owner;
  const weights = wantedWeights(owner, wanted, policy);
  const ids = tokenizer.encode(prompt, { addSpecialTokens: true });
  const options = { ...drawing, stopTokenIds: tokenizer.stopTokenIds };
  const write = async (more: GenerationOptions) => {
    const [answer = []] = await generate(model, weights, [Int32Array.from(ids)], more);
    return tokenizer.decode(answer, { after: ids });
  };
  const { feature, mode, value } = steering;
  const turned = { sae: shelved.sae, feature, mode, value, startToken: tokenizer.bosTokenId };
  return { plain: await write(options), steered: await write({ ...options, steering: turned }) };
}

function untouched({ model }: OwnModel): Weights {
  return referenceWeights(model);
}

function refuseUntrained(): never {
  return refuse("RUN-1", "No run has tuned the model yet: train first.");
}

function wantedWeights(owner: OwnModel, wanted: LookedAt, policy: SeenPolicy | null): Weights {
  return wanted === "reference" ? untouched(owner) : (policy?.weights ?? refuseUntrained());
}
