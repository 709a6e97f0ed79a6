/** Words of the settings of online rounds. */
import type { SettingText } from "./text.ts";

/** Stands at settings of the online rounds that the paper leaves open. */
const reconstructed = "reconstructed here: the paper’s own choice is not public";

/** Settings of the rounds by their name in the configuration. */
export const onlineSettingTexts = {
  rounds: {
    label: "Rounds",
    help: "The steps are divided into so many rounds. Each begins with answers of the model as it is then, scored by the judges. 0 trains on the pairs of the set alone.",
    paper: "paper: 3",
  },
  onlinePrompts: {
    label: "Prompts",
    help: "How many prompts of the training pairs the rounds use, from the first on. 0 uses all of them.",
  },
  firstPairs: {
    label: "First pairs",
    help: "Drawn: the first round lets the model answer every prompt. From the set: it trains on the set’s own pairs, scored by the judges.",
  },
  regeneratedShare: {
    label: "Drawn anew (ρ)",
    help: "Share of the prompts that every round after the first answers anew; the others keep their stored pair. 1 draws all, 0 none.",
    paper: "paper: 0.5–0.7",
  },
  selection: {
    label: "Selection",
    help: "Which prompts are answered anew: those whose stored pair ranks lowest, or as many at random, which is the control.",
    paper: "paper: the lowest",
  },
  rankingKey: {
    label: "Ranked by",
    help: "What a stored pair is ranked by: the mean, the better or the worse of its two scores, or the gap between them. The mean is this studio’s reconstruction.",
    paper: reconstructed,
  },
  hasPromptBaseline: {
    label: "Prompt baseline",
    help: "Ranks a prompt by how far it has come since the first round, because scores of different prompts do not compare. It is this studio’s addition.",
    paper: reconstructed,
  },
  answersPerPrompt: {
    label: "Answers a prompt",
    help: "So many answers are drawn for a prompt; the best and the worst of them become its pair.",
    paper: "not published; 2 is the least",
  },
  answerTemperature: {
    label: "Answer temperature",
    help: "How much drawn answers vary. Too low and they are equal, which leaves no pair.",
    paper: "paper: 1",
  },
  answerTopP: {
    label: "Answer top-p",
    help: "Only the likeliest tokens that together have this probability can be drawn; 1 leaves all.",
    paper: "paper: 0.9",
  },
  onlineReference: {
    label: "Reference of a round",
    help: "What a round’s pairs are compared with: the model as it is when the round begins, or always the one the run started from. The former is this studio’s reconstruction and reads all pairs anew in every round.",
    paper: reconstructed,
  },
  judges: {
    label: "Judges in use",
    help: "Whose scores rank, choose and weigh. Several are multiplied by their weights and added.",
  },
  heldoutJudge: {
    label: "Judge kept aside",
    help: "Scores the answers to held-out prompts after every round. No selection and no weight ever sees it.",
  },
  declineRounds: {
    label: "Stop after a fall of",
    help: "Ends the run once the judge kept aside has fallen so many rounds in a row. 0 never does.",
  },
  onJudgeFailure: {
    label: "When a judge fails",
    help: "Wait: the run pauses, and you ask the judge again or go on. Go on: answers without a score are left out, and the round says which.",
  },
} satisfies Record<string, SettingText>;

/** Choices of the rounds. */
export const onlineChoiceTexts = {
  firstPairs: { generated: "Drawn", data: "From the set" },
  selection: { lowest: "Lowest ranked", random: "At random" },
  rankingKey: { mean: "Mean score", best: "Better score", worst: "Worse score", gap: "Gap" },
  onlineReference: { round: "Model at its start", initial: "Starting model" },
  onJudgeFailure: { pause: "Wait for me", goOn: "Go on without" },
} as const;
