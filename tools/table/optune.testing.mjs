/** Runs of the table of OPTune that were never trained, with numbers that can be worked out by hand. */
import { runOptune } from "./optune.mjs";

const defaultConfig = {
  model: "story",
  schedule: "linear",
  warmupSteps: 5,
  loraAlpha: 16,
  answerTemperature: 1,
  sampleTemperature: 0.7,
  regeneratedShare: 0.5,
  selection: "lowest",
};
const knob = (key, value) => ({ key, label: key, default: value });
const objectives = {
  dpo: { id: "dpo", label: "DPO", parameters: [knob("beta", 0.1)] },
  wdpo: {
    id: "wdpo",
    label: "wDPO",
    parameters: [knob("beta", 0.1), knob("beta2", 4), knob("weighting", 0), knob("normalise", 0)],
  },
};
export const common = { defaultConfig, steps: 36, backend: "cpu" };

/** Seconds of a round that draws a share: 6 + 1 of 10 are drawing and scoring, so g is 0.7. */
const secondsAt = (share) => ({
  generate: 6 * share,
  score: share,
  reference: 1,
  train: 2,
  evaluate: 100,
});

/** Rise of the held-out judge in each round: chosen by rank a little better than at random, more with weights. */
function riseOf({ method, regeneratedShare, selection, learningRate }) {
  if (learningRate === 0) return 0;
  const lost = (1 - regeneratedShare) * (selection === "random" ? 0.06 : 0.02);
  return (method === "wdpo" ? 0.12 : 0.1) - lost;
}

const pair = (gap) => ({ now: { chosenScore: gap - 1, rejectedScore: -1 } });

function roundRecord(config, round) {
  const share = round === 0 ? 1 : config.regeneratedShare;
  // By chance alone the lower half gains 0.2 and the other loses 0.2; learning adds to both, a little more to the lower.
  const learned = config.learningRate === 0 ? 0 : 0.1;
  // An effective size of 2.4 pairs of 3 in the first round, of 4 in the others.
  const weights = config.method === "wdpo" ? { "weights/mean": 0.6 + 0.1 * round, "weights/ess": 2.4 } : {};
  return {
    round,
    step: 12 * round,
    seconds: secondsAt(share),
    generatedTokens: 1000 * share,
    savedTokens: 1000 * (1 - share),
    failures: round === 1 ? [{ judge: "j", prompt: "p", answer: "a", reason: "r" }] : [],
    prompts: [pair(1), pair(4), pair(4), { now: round === 0 ? null : pair(3).now }],
    isOver: true,
    metrics:
      round === 0
        ? weights
        : {
            ...weights,
            "online/gain_lowest_half": 0.2 + learned * (1 + config.seed / 100),
            "online/gain_highest_half": -0.2 + learned / 2,
          },
  };
}

function onlineRecord(config) {
  const rounds = [0, 1, 2].map((round) => roundRecord(config, round));
  let seconds = 0;
  const onlineEvaluations = [0, 1, 2, 3].map((done) => {
    const score = 0.01 * config.seed + done * riseOf(config);
    if (done > 0)
      for (const stage of ["generate", "score", "reference", "train"])
        seconds += rounds[done - 1].seconds[stage];
    return {
      rounds: done,
      step: 12 * done,
      seconds,
      proxy: { mean: 2 * score, low: 0, high: 1 },
      heldout: { mean: score, low: 0, high: 1 },
      winRate: done === 0 ? null : { share: 0.5 + score, low: 0, high: 1, prompts: 64, ties: 1 },
      metrics: { "samples/kl": done },
      bestOf: done === 0 ? [1, 2, 4].map((n) => ({ n, proxy: n / 10, heldout: n / 20 })) : [],
    };
  });
  return { rounds, onlineEvaluations, samplesBefore: [], samplesAfter: [], steps: [{ active_ms: 6000 }] };
}

function offlineRecord() {
  const sample = (prompt, judgeScore, mode = "seeded") => ({ prompt, judgeScore, mode, tokens: [] });
  return {
    rounds: [],
    onlineEvaluations: [],
    samplesBefore: [sample("a", 0), sample("b", 0), sample("c", 0), sample("a", 1, "greedy")],
    samplesAfter: [sample("a", 0.6), sample("b", 0), sample("c", 0.3), sample("a", -1, "greedy")],
    steps: [{ active_ms: 3000 }, { active_ms: 7000 }],
  };
}

/** The record of a configuration; `changes` are laid over it. */
export function syntheticRecord(config, changes = {}) {
  return {
    config,
    commit: "abc",
    sitting: "monday",
    environment: { backend: "cpu", device: "CPU", userAgent: "HeadlessChrome/1.0" },
    ...(config.rounds === 0 ? offlineRecord() : onlineRecord(config)),
    ...changes,
  };
}

/** The whole table or some of its cells, with what was asked for; `recordOf` gives the record of a configuration, `isKept` says that all are on disk. */
export async function syntheticTable({ parts, seeds = 3, recordOf = syntheticRecord, isKept = false }) {
  const asked = [];
  const warmedUp = [];
  let announced = 0;
  const studio = { train: async (config) => warmedUp.push(config) };
  const found = await runOptune({
    objectives,
    parts,
    workers: [async () => studio],
    common,
    seeds,
    announce: (count) => {
      announced += count;
    },
    train: async (config, worker) => {
      asked.push(config);
      if (!isKept) await worker();
      return recordOf(config);
    },
  });
  return { found, asked, announced, warmedUp };
}
