/** Which of TRL's trainers has an objective exactly as the studio trains it, and with which arguments. */

/** Arguments of a trainer's configuration as Python writes them. */
export type PythonArguments = Readonly<Record<string, string | number>>;

/** How an objective is trained in TRL; `own` brings the loss along. */
export interface Recipe {
  readonly trainer: "dpo" | "cpo" | "kto" | "sft" | "own";
  readonly arguments: PythonArguments;
}

type Knobs = Readonly<Record<string, number>>;

const own: Recipe = { trainer: "own", arguments: {} };

const dpo = (loss: string, knobs: Knobs, others: PythonArguments = {}): Recipe => ({
  trainer: "dpo",
  arguments: { loss_type: `["${loss}"]`, beta: knobs["beta"] ?? 0.1, ...others },
});

const smoothed = (knobs: Knobs): PythonArguments => ({ label_smoothing: knobs["labelSmoothing"] ?? 0 });

/** Objectives that TRL has; a recipe of null means that TRL lacks what these knobs ask for. */
const recipes: Readonly<Record<string, (knobs: Knobs) => Recipe | null>> = {
  sft: () => ({ trainer: "sft", arguments: { completion_only_loss: "True" } }),
  // TRL's sigmoid loss has no label smoothing.
  dpo: (knobs) => ((knobs["labelSmoothing"] ?? 0) > 0 ? null : dpo("sigmoid", knobs)),
  ipo: (knobs) => (knobs["scale"] === 1 ? null : dpo("ipo", knobs)),
  hinge: (knobs) => dpo("hinge", knobs),
  robust: (knobs) => dpo("robust", knobs, smoothed(knobs)),
  exo_pair: (knobs) => dpo("exo_pair", knobs, smoothed(knobs)),
  nca_pair: (knobs) => dpo("nca_pair", knobs),
  sppo_hard: (knobs) => dpo("sppo_hard", knobs),
  aot: (knobs) => dpo("aot", knobs),
  aot_unpaired: (knobs) => dpo("aot_unpaired", knobs),
  discopop: (knobs) => dpo("discopop", knobs, { discopop_tau: knobs["tau"] ?? 0.05 }),
  apo_zero: (knobs) => dpo("apo_zero", knobs),
  apo_down: (knobs) => dpo("apo_down", knobs),
  sigmoid_norm: (knobs) => dpo("sigmoid_norm", knobs),
  wpo: (knobs) =>
    (knobs["clamp"] ?? 1) === 1 || knobs["normalise"] === 1
      ? null
      : dpo("sigmoid", knobs, { use_weighting: "True" }),
  simpo: (knobs) => ({
    trainer: "cpo",
    arguments: {
      loss_type: '"simpo"',
      cpo_alpha: 0,
      beta: knobs["beta"] ?? 2,
      simpo_gamma: knobs["gamma"] ?? 0.5,
    },
  }),
  cpo: (knobs) => ({
    trainer: "cpo",
    arguments: { loss_type: '"sigmoid"', cpo_alpha: knobs["cpoAlpha"] ?? 1, beta: knobs["beta"] ?? 0.1 },
  }),
  kto: (knobs) => ({
    trainer: "kto",
    arguments: {
      beta: knobs["beta"] ?? 0.1,
      desirable_weight: knobs["desirableWeight"] ?? 1,
      undesirable_weight: knobs["undesirableWeight"] ?? 1,
    },
  }),
};

/** The recipe of one objective with its knobs, or of a sum, which is always brought along. */
export function recipeOf(method: string, knobs: Knobs, isSum: boolean): Recipe {
  const native = isSum ? undefined : recipes[method]?.(knobs);
  return native ?? own;
}
