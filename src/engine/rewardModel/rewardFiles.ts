/**
 * Reward models as files: PEFT's two of a model with one label (`SEQ_CLS`), which Python's `AutoModelForSequenceClassification` and
 * `PeftModel` load, and `quality.json` with what is known of it.
 */
import { fitAdapter } from "../adapters/fitAdapter.ts";
import { PEFT_WEIGHTS_FILE, readPeftAdapter, writePeftAdapter } from "../adapters/peft.ts";
import { PEFT_CONFIG_FILE } from "../adapters/peftConfig.ts";
import { readRange, sizeOf, type FileBytes } from "../files/fileBytes.ts";
import { FileFormatError } from "../files/fileFormatError.ts";
import type { NamedArray } from "../files/safetensors.ts";
import { toCheckpointAdapters } from "../models/checkpointAdapters.ts";
import type { ModelConfig } from "../models/config.ts";
import { evenSum, namedSum, type HostAdapter } from "../models/hostAdapter.ts";
import { parseCard } from "./rewardCard.ts";
import type { RewardModel } from "./rewardModel.ts";
import type { RewardModelQuality } from "./settings.ts";

/** The file of what is known of a reward model. */
export const QUALITY_FILE = "quality.json";

/** What is known of a reward model beside its numbers. */
export interface RewardModelCard {
  readonly label: string;
  /** Name of the model that it is an adapter and a head of. */
  readonly model: string;
  /** Null where it was never measured. */
  readonly quality: RewardModelQuality | null;
}

/** The part of a model that files are held against. */
interface Shaped {
  readonly config: ModelConfig;
}

const MOST_JSON_BYTES = 2 ** 20;
const MOST_WEIGHT_BYTES = 2 ** 29;

/** The three files of a reward model of a base model of this shape. */
export function saveRewardModel(
  { adapter, alpha, rank, head }: RewardModel,
  card: RewardModelCard,
  { config }: Shaped,
): { readonly name: string; readonly bytes: Uint8Array }[] {
  const widest = Math.max(...[...adapter.values()].map((each) => each.rank));
  // PEFT divides alpha by the rank that all modules are filled up to.
  const stored = toCheckpointAdapters(config, namedSum(evenSum(adapter, config)), (alpha * widest) / rank);
  const score = { shape: [1, head.length], values: head };
  const { label, model, quality } = card;
  const known = JSON.stringify({ label, model, quality }, null, 2);
  return [
    ...writePeftAdapter(stored.arrays, { ...stored, baseModel: model, score }),
    { name: QUALITY_FILE, bytes: new TextEncoder().encode(`${known}\n`) },
  ];
}

/**
 * Reads a reward model and holds it against the model that it is to stand on; files may lie in a folder. `quality.json` may be
 * missing, as it is in what Python saved. Rejects with `FileFormatError` where a file is missing, damaged, of another method, or
 * for a model of another shape.
 */
export async function readRewardModel(
  files: readonly { readonly name: string; readonly bytes: FileBytes }[],
  { config }: Shaped,
): Promise<{ readonly reward: RewardModel; readonly card: RewardModelCard }> {
  const bytesOf = async (name: string, most: number): Promise<Uint8Array | null> => {
    const found = files.find((file) => file.name === name || file.name.endsWith(`/${name}`));
    if (found === undefined) return null;
    const size = sizeOf(found.bytes);
    if (size > most) throw refused(name, `the file has ${size} bytes, expected at most ${most}.`);
    return readRange(found.bytes, 0, size);
  };
  const weights = await bytesOf(PEFT_WEIGHTS_FILE, MOST_WEIGHT_BYTES);
  const peftConfig = await bytesOf(PEFT_CONFIG_FILE, MOST_JSON_BYTES);
  const known = await bytesOf(QUALITY_FILE, MOST_JSON_BYTES);
  if (weights === null)
    throw refused(PEFT_WEIGHTS_FILE, "the file is missing, and holds the reward model's numbers.");
  if (peftConfig === null)
    throw refused(PEFT_CONFIG_FILE, "the file is missing, and says how its adapter is scaled.");
  const peft = readPeftAdapter({ weights, config: peftConfig }, { hasScore: true });
  const { modules, scaleOf } = fitAdapter(config, peft);
  const { alpha, rank, baseModel } = peft;
  const adapter = new Map(
    [...modules].map(([module, own]) => [module, rescaled(own, (scaleOf(module) * rank) / alpha)]),
  );
  const reward = { adapter, alpha, rank, head: headOf(peft.score, config) };
  checkFinite(reward);
  const card =
    known === null ? { label: "", model: baseModel, quality: null } : parseCard(known, QUALITY_FILE);
  return { reward, card };
}

/** The same adapter where its scale is not alpha / rank: its factor B makes up for it. */
function rescaled(adapter: HostAdapter, factor: number): HostAdapter {
  return factor === 1 ? adapter : { ...adapter, b: adapter.b.map((value) => value * factor) };
}

function headOf(score: NamedArray | null, { hiddenSize }: ModelConfig): Float32Array {
  const shape = score?.shape ?? [];
  if (score !== null && shape.length === 2 && shape[0] === 1 && shape[1] === hiddenSize) return score.values;
  throw refused(
    PEFT_WEIGHTS_FILE,
    `"score.weight" is ${score === null ? "missing" : `[${shape.join(", ")}]`}, expected [1, ${hiddenSize}]: one label, and the width of this model's states.`,
  );
}

function checkFinite({ adapter, head }: RewardModel): void {
  const factors = [...adapter].flatMap(([module, { a, b }]) => [
    [`${module}.lora_A.weight`, a] as const,
    [`${module}.lora_B.weight`, b] as const,
  ]);
  for (const [name, values] of [...factors, ["score.weight", head] as const]) {
    const broken = values.find((value) => !Number.isFinite(value));
    if (broken !== undefined)
      throw refused(PEFT_WEIGHTS_FILE, `"${name}" holds ${broken}, expected numbers.`);
  }
}

function refused(file: string, problem: string): FileFormatError {
  return new FileFormatError("FIL-1", file, problem);
}
