/** Which Hub is asked, with which token, and what a repository there offers. */
import { create } from "zustand";
import { createAsker } from "./asked.ts";
import { callTrainer } from "./connection.ts";

/** The Hub that is asked unless somebody names a mirror. */
export const defaultHubUrl = "https://huggingface.co";

/** Small models that a browser trains. */
export const suggestedRepos = [
  "HuggingFaceTB/SmolLM2-135M-Instruct",
  "Qwen/Qwen3-0.6B",
  "google/gemma-3-270m-it",
] as const;

interface HubState {
  readonly hubUrl: string;
  /** In memory only: it is written nowhere and is gone with the page. */
  readonly token: string;
  readonly repo: string;
  readonly revision: string;
}

/** What is typed about the Hub. */
export const useHubStore = create<HubState>(() => ({
  hubUrl: defaultHubUrl,
  token: "",
  repo: "",
  revision: "main",
}));

/** What a repository offers. */
export const hubOffer = createAsker("inspectHub", { before: tellHub });

/** Takes what is typed. */
export function editHub(change: Partial<HubState>): void {
  useHubStore.setState(change);
}

/** Whether a text is the id of a repository: owner and name. */
export function isRepoName(repo: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(repo.trim());
}

/** Whether a model can be looked for under a text: a name with or without its owner, or its address. */
function canBeLookedFor(text: string): boolean {
  const path = text.trim().replace(/^https?:\/\/[^/]+\//, "");
  return /^[\w.-]+(\/[\w.-]+)?(\/(tree|blob|resolve)\/.*)?\/?$/.test(path);
}

/** Why what is typed cannot be asked for, by its field; empty when it can. */
export function hubProblems({ hubUrl, repo }: HubState): Partial<Record<keyof HubState, string>> {
  const isAddress = URL.canParse(hubUrl) && /^https?:$/.test(new URL(hubUrl).protocol);
  return {
    ...(isAddress ? {} : { hubUrl: `An address such as ${defaultHubUrl}.` }),
    ...(canBeLookedFor(repo) || repo.trim() === ""
      ? {}
      : { repo: "Owner and name, such as Qwen/Qwen3-0.6B." }),
  };
}

/** The name of the host that is asked. */
export function hubHost({ hubUrl }: Pick<HubState, "hubUrl">): string {
  return URL.canParse(hubUrl) ? new URL(hubUrl).host : hubUrl;
}

/** Whether an id names something on the Hub. */
export function isOnHub(id: string): boolean {
  return id.startsWith("hub:");
}

/** Tells the trainer the Hub and the token: one that was started anew knows neither. */
export async function tellHub(): Promise<void> {
  const { hubUrl, token } = useHubStore.getState();
  await callTrainer("setHub", { hubUrl: hubUrl.replace(/\/+$/, ""), token: token.trim() || null });
}

/** Looks at the repository that is typed. */
export async function lookAtHub(): Promise<void> {
  const { repo, revision } = useHubStore.getState();
  hubOffer.forget();
  await hubOffer.ask({ repo: repo.trim(), revision: revision.trim() || "main" });
}
