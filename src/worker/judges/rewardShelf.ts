/** The reward models at hand: those that come along, those trained here, and those opened from files. */
import { embeddedRewardModels, type EmbeddedRewardModel } from "../../engine/data/embedded.ts";
import { noRewardModel } from "../../engine/judges/missingJudge.ts";
import type { FileBytes } from "../../engine/files/fileBytes.ts";
import { fingerprint } from "../../engine/reference/fingerprint.ts";
import {
  readRewardModel,
  saveRewardModel,
  type RewardModelCard,
} from "../../engine/rewardModel/rewardFiles.ts";
import type { RewardModel } from "../../engine/rewardModel/rewardModel.ts";
import { refuse } from "../errorReport.ts";
import type { OwnModel } from "../keptReference.ts";
import type { FetchFile } from "../library.ts";
import type { ExportedFile, RewardModelSummary } from "../protocol.ts";

const BYTES_PER_NUMBER = 4;

/** A reward model with what is known of it. */
export interface ShelvedReward {
  readonly reward: RewardModel;
  readonly card: RewardModelCard;
  readonly origin: RewardModelSummary["origin"];
  /** What the model it belongs to is called and made of; "" for the weights of one that comes along, which its id tells. */
  readonly owner: { readonly id: string; readonly weights: string };
}

/** The shelf. */
export interface RewardShelf {
  /** Those that come along first; they are fetched where they fit the loaded model. */
  readonly list: (loaded: OwnModel | null) => Promise<readonly RewardModelSummary[]>;
  /** Puts one there in place of one with the same numbers. */
  readonly put: (shelved: ShelvedReward) => RewardModelSummary;
  /** Reads files against the loaded model. Rejects with `FileFormatError`. */
  readonly open: (
    files: readonly { readonly name: string; readonly bytes: FileBytes }[],
    loaded: OwnModel,
  ) => Promise<RewardModelSummary>;
  readonly save: (id: string, loaded: OwnModel) => Promise<readonly ExportedFile[]>;
  readonly remove: (id: string) => void;
  /** One that fits the loaded model, fetched if need be; refuses any other. */
  readonly take: (id: string, loaded: OwnModel) => Promise<ShelvedReward>;
  /** Why one cannot judge the loaded model's answers; "" where it can, as far as is known before it is fetched. */
  readonly problemOf: (id: string, loaded: OwnModel) => string;
}

/** A shelf with the reward models that come along. */
export function createRewardShelf(fetchFile: FetchFile): RewardShelf {
  const shelved = new Map<string, ShelvedReward>();
  const fetching = new Map<string, Promise<ShelvedReward>>();

  const fetchEmbedded = async (one: EmbeddedRewardModel, loaded: OwnModel): Promise<ShelvedReward> => {
    const files = await Promise.all(
      one.files.map(async (name) => ({ name, bytes: await fetchFile(`${one.folder}/${name}`) })),
    );
    const { reward, card } = await readRewardModel(files, loaded.model);
    const own = { reward, card: { ...card, label: one.label }, origin: "embedded" } as const;
    const found: ShelvedReward = { ...own, owner: { id: one.model, weights: "" } };
    shelved.set(one.id, found);
    return found;
  };
  const problemOf = (id: string, loaded: OwnModel): string => {
    const owner = shelved.get(id)?.owner ?? ownerOf(embeddedOf(id));
    if (owner === null) return noRewardModel(id);
    if (isOwner(owner, loaded)) return "";
    const label = shelved.get(id)?.card.label ?? embeddedOf(id)?.label ?? id;
    return `The reward model "${label}" belongs to the model "${owner.id}", and "${loaded.id}" is loaded.`;
  };
  const take = async (id: string, loaded: OwnModel): Promise<ShelvedReward> => {
    const problem = problemOf(id, loaded);
    if (problem !== "") refuse("CFG-1", problem);
    const [there, embedded] = [shelved.get(id), embeddedOf(id)];
    if (there !== undefined) return there;
    if (embedded === null) return refuse("CFG-1", noRewardModel(id));
    const coming = fetching.get(id) ?? fetchEmbedded(embedded, loaded);
    fetching.set(id, coming);
    // What failed may be tried again.
    return coming.finally(() => fetching.delete(id));
  };
  /** One that comes along, with its figures where they can be had. */
  const tellEmbedded = async (one: EmbeddedRewardModel, loaded: OwnModel | null) => {
    const known = { id: one.id, label: one.label, origin: "embedded", quality: null, sizeBytes: 0 } as const;
    if (loaded === null) return { ...known, problem: "No model is loaded." };
    try {
      return summaryOf(one.id, await take(one.id, loaded), "");
    } catch (error) {
      return { ...known, problem: error instanceof Error ? error.message : String(error) };
    }
  };
  const put = (own: ShelvedReward): RewardModelSummary => {
    const id = idOf(own.reward);
    shelved.set(id, own);
    return summaryOf(id, own, "");
  };

  return {
    put,
    take,
    problemOf,
    list: async (loaded) => {
      const embedded = await Promise.all(embeddedRewardModels.map((one) => tellEmbedded(one, loaded)));
      const others = [...shelved].filter(([, { origin }]) => origin !== "embedded");
      const problem = (id: string) => (loaded === null ? "No model is loaded." : problemOf(id, loaded));
      return [...embedded, ...others.map(([id, own]) => summaryOf(id, own, problem(id)))];
    },
    open: async (files, loaded) => {
      const { reward, card } = await readRewardModel(files, loaded.model);
      const label = card.label === "" ? "Opened reward model" : card.label;
      return put({ reward, card: { ...card, label }, origin: "opened", owner: printOf(loaded) });
    },
    save: async (id, loaded) => {
      const { reward, card } = await take(id, loaded);
      return saveRewardModel(reward, card, loaded.model);
    },
    remove: (id) => {
      if (embeddedOf(id) !== null) refuse("CFG-1", "This reward model comes with the studio and stays.");
      if (!shelved.delete(id)) refuse("CFG-1", noRewardModel(id));
    },
  };
}

/** What a loaded model is called and made of. */
export function printOf({ id, prints }: OwnModel): ShelvedReward["owner"] {
  return { id, weights: prints.weights };
}

/** The same weights, or a model whose name says which one it is. */
function isOwner(owner: ShelvedReward["owner"], loaded: OwnModel): boolean {
  return owner.weights === loaded.prints.weights || (owner.id === loaded.id && loaded.id !== "local");
}

function embeddedOf(id: string): EmbeddedRewardModel | null {
  return embeddedRewardModels.find((one) => one.id === id) ?? null;
}

function ownerOf(embedded: EmbeddedRewardModel | null): ShelvedReward["owner"] | null {
  return embedded === null ? null : { id: embedded.model, weights: "" };
}

/** A name that is the same after it was saved and opened again. */
function idOf({ head }: RewardModel): string {
  const { buffer, byteOffset, byteLength } = head;
  return `reward-${fingerprint(new Uint8Array(buffer, byteOffset, byteLength))}`;
}

function summaryOf(id: string, { reward, card, origin }: ShelvedReward, problem: string): RewardModelSummary {
  const { label, quality } = card;
  const numbers = [...reward.adapter.values()].reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const sizeBytes = BYTES_PER_NUMBER * (numbers + reward.head.length);
  return { id, label, origin, quality, sizeBytes, problem };
}
