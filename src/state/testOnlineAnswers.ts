/** What the trainer of tests answers about judges and rounds, and a run of two rounds as it would tell it. */
import type {
  OnlineCommands,
  OnlineEvaluation,
  RewardModelSummary,
  RoundRecord,
} from "../worker/protocol.ts";

const rewardModel: RewardModelSummary = {
  id: "story-kind",
  label: "Kind endings",
  origin: "embedded",
  quality: {
    data: "Kind endings",
    trainPairs: 640,
    heldoutPairs: 160,
    accuracy: 0.95,
    low: 0.9,
    high: 0.98,
    calibration: [
      { stated: 0.6, observed: 0.5, pairs: 20 },
      { stated: 0.95, observed: 0.97, pairs: 140 },
    ],
    calibrationError: 0.03,
  },
  sizeBytes: 120_000,
  problem: "",
};

/** Answers by command. */
export const testOnlineAnswers: { [Name in keyof OnlineCommands]: OnlineCommands[Name]["answer"] } = {
  listJudges: {
    kinds: [
      {
        kind: "program",
        label: "Built in",
        help: "A program that comes with the studio.",
        needs: "",
        fields: [{ key: "id", label: "Program", help: "Each says what it rewards.", form: "choice" }],
        initial: { kind: "program", id: "kindEndings" },
      },
      {
        kind: "words",
        label: "Words",
        help: "Each liked word adds 1.",
        needs: "",
        fields: [
          { key: "liked", label: "Liked words", help: "Whole words.", form: "words" },
          { key: "disliked", label: "Disliked words", help: "They count against it.", form: "words" },
        ],
        initial: { kind: "words", liked: ["happy"], disliked: [] },
      },
    ],
    programs: [
      { id: "kindEndings", label: "Kind ending", help: "Counts words of kindness." },
      { id: "helpful", label: "Helpful", help: "Rewards answers." },
    ],
    rewardModels: [rewardModel],
    endpoint: null,
  },
  trainRewardModel: { ...rewardModel, id: "mine", label: "Mine", origin: "trained" },
  stopRewardModel: null,
  saveRewardModel: [{ name: "adapter_model.safetensors", bytes: new Uint8Array(8) }],
  openRewardModel: { ...rewardModel, id: "opened", label: "Opened", origin: "opened", quality: null },
  removeRewardModel: null,
  setEndpoint: null,
  scoreAnswers: [{ score: 0.5 }],
  giveJudgement: null,
  retryJudges: null,
  exportRound: [{ name: "round-1.jsonl", bytes: new Uint8Array(2) }],
};

const first = {
  chosen: " Tom helped her.",
  rejected: " Tom laughed.",
  chosenScore: 0.5,
  rejectedScore: -0.5,
  drawnIn: 0,
};

/** Two rounds over two prompts; the second draws one of them anew. */
export const testRounds: readonly RoundRecord[] = [
  {
    round: 0,
    step: 0,
    prompts: [
      { prompt: "Lily lost her ball.", isRegenerated: true, before: null, now: first, reason: "" },
      { prompt: "Ben fell.", isRegenerated: true, before: null, now: null, reason: "equalScores" },
    ],
    failures: [],
    generatedTokens: 120,
    savedTokens: 0,
    seconds: { generate: 3, score: 0.2, reference: 0.4, train: 1.5, evaluate: 0.8 },
    isSettled: true,
    isOver: true,
    metrics: {
      "online/regenerated_share": 1,
      "judge/score": 0,
      "judge/score_margin": 1,
      "weights/mean": 0.9,
      "weights/ess": 1,
    },
  },
  {
    round: 1,
    step: 20,
    prompts: [
      {
        prompt: "Lily lost her ball.",
        isRegenerated: true,
        before: first,
        now: { ...first, chosen: " Tom hugged her.", chosenScore: 0.8, drawnIn: 1 },
        reason: "",
      },
      { prompt: "Ben fell.", isRegenerated: false, before: null, now: null, reason: "" },
    ],
    failures: [],
    generatedTokens: 60,
    savedTokens: 60,
    seconds: { generate: 1.5, score: 0.1, reference: 0.4, train: 1.5, evaluate: 0.8 },
    isSettled: true,
    isOver: true,
    metrics: {
      "online/regenerated_share": 0.5,
      "online/score_gain": 0.15,
      "judge/score": 0.15,
      "judge/score_margin": 1.3,
      "weights/mean": 0.95,
      "weights/ess": 1,
    },
  },
];

/** Held-out answers before and after the two rounds. */
export const testOnlineEvaluations: readonly OnlineEvaluation[] = [0, 1, 2].map((rounds) => ({
  rounds,
  step: 20 * rounds,
  endsRun: false,
  seconds: [0, 5.1, 8.6][rounds] ?? 0,
  proxy: { mean: 0.2 * rounds, low: 0.2 * rounds - 0.1, high: 0.2 * rounds + 0.1 },
  heldout: { mean: 0.1 * rounds, low: 0.1 * rounds - 0.1, high: 0.1 * rounds + 0.1 },
  failures: [],
  winRate: rounds === 0 ? null : { share: 0.5 + 0.1 * rounds, low: 0.45, high: 0.75, prompts: 32, ties: 4 },
  metrics: {
    "samples/kl": rounds,
    "samples/length": 18,
    "samples/distinct_2": 0.8,
    "samples/entropy": 2 - 0.2 * rounds,
  },
  samples: [{ prompt: "Lily lost her ball.", answer: " Tom helped.", proxy: 0.5, heldout: 0.4 }],
  bestOf:
    rounds === 0
      ? [
          { n: 1, proxy: 0, heldout: 0 },
          { n: 2, proxy: 0.2, heldout: 0.1 },
          { n: 4, proxy: 0.4, heldout: 0.2 },
        ]
      : [],
}));
