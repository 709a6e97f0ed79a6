/** The policy being trained: adapters on the model's frozen weights, or a copy of the weights themselves. */
import {
  adaptedModules,
  createAdapters,
  whyNoRoom,
  type InitialValues,
  type LoraSettings,
} from "../adapters/lora.ts";
import { flatParameters, type FlatParameters, type Trainable } from "../adapters/parameters.ts";
import { frozenStart, withoutStanding, type StoodModel } from "../adapters/standing.ts";
import { createRandom } from "../data/random.ts";
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import { isPackedWeight } from "../kernels/weightLayout/packedWeight.ts";
import type { Model } from "../models/decoder.ts";
import { linearGroups } from "../models/stacks.ts";
import {
  countParameters,
  parameter,
  parameterShape,
  referenceWeights,
  type Weights,
} from "../models/weights.ts";
import { dispose, view, write } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { RunConfig } from "./config.ts";

/** Weights to run and the parameters among them that train. The model itself stays as it was: it is the reference. */
export interface Policy {
  readonly weights: Weights;
  readonly parameters: FlatParameters;
  readonly trainables: readonly Trainable[];
  readonly dispose: () => void;
}

/** The settings of a run that shape its policy. */
export type PolicySettings = Pick<
  RunConfig,
  "tuning" | "loraRank" | "loraAlpha" | "loraTargets" | "topLayers" | "seed"
>;

/**
 * A policy that still equals the model with the adapters that stand on it; `initial` replaces what its own adapter starts
 * with. Throws `RangeError` where it cannot go on with those adapters.
 */
export function createPolicy(model: Model, settings: PolicySettings, initial?: InitialValues): Policy {
  const { weights, parameters, held } =
    settings.tuning === "lora" ? loraPolicy(model, settings, initial) : fullPolicy(model, settings);
  return {
    weights,
    parameters,
    trainables: parameters.trainables,
    dispose: () => {
      dispose(held);
      parameters.dispose();
    },
  };
}

/** A policy in the making, with what else it holds on the device. */
interface PolicyParts extends Pick<Policy, "weights" | "parameters"> {
  readonly held: readonly Tensor[];
}

function loraPolicy(model: Model, settings: PolicySettings, initial?: InitialValues): PolicyParts {
  const start = initial === undefined ? model.standing?.sum : undefined;
  const { parameters, modules, groups } = createAdapters(model, loraOf(settings), {
    random: createRandom(settings.seed),
    ...(initial === undefined ? {} : { initial }),
    ...(start === undefined ? {} : { start }),
  });
  const { base, stacks } = model;
  const weights = { ...referenceWeights({ base, stacks }), adapters: modules, groupAdapters: groups };
  return { weights, parameters, held: [] };
}

function loraOf({ loraRank, loraAlpha, loraTargets, topLayers }: PolicySettings): LoraSettings {
  return { rank: loraRank, alpha: loraAlpha, targets: loraTargets, topLayers };
}

/** The model as the run's reference: adapters that stand on it are frozen as the policy starts with them. */
export function referenceOf(model: Model, settings: PolicySettings): StoodModel {
  return frozenStart(model, loraOf(settings), createRandom(settings.seed));
}

/** A frozen policy that can be moved to where a policy with the same settings is. */
export interface MovableReference {
  readonly model: Model;
  /** Takes the policy's parameters over by name and gives them; others, such as moments, are not looked at. */
  readonly moveTo: (values: Readonly<Record<string, Float32Array>>) => Readonly<Record<string, Float32Array>>;
  readonly dispose: () => void;
}

/** A reference of its own for a run that trains an adapter; it shares the base, and computes what the policy computes. */
export function movableReference(model: Model, settings: PolicySettings): MovableReference {
  const bare = withoutStanding(model);
  const random = createRandom(settings.seed);
  const { parameters, modules, groups } = createAdapters(bare, loraOf(settings), { random });
  // Nothing goes on with this model, so that its sum on the host is not needed.
  const standing = { adapters: modules, groupAdapters: groups, sum: new Map() };
  return {
    model: { ...bare, standing },
    moveTo: (values) => {
      const taken: Record<string, Float32Array> = {};
      const flat = new Float32Array(parameters.theta.size);
      for (const { name, offset, tensor } of parameters.trainables) {
        const own = values[name];
        if (own?.length !== tensor.size) {
          const count = own?.length ?? "no";
          throw new RangeError(`The reference has ${count} values for "${name}", expected ${tensor.size}.`);
        }
        flat.set(own, offset);
        taken[name] = own;
      }
      write(parameters.theta, flat);
      return taken;
    },
    dispose: parameters.dispose,
  };
}

/** Why a run cannot go on with the adapters that stand on the model, and the setting to change; null where it can. */
export function whyNotOn(
  model: Model,
  settings: PolicySettings,
): { readonly field: "tuning" | "loraRank" | "loraTargets" | "topLayers"; readonly message: string } | null {
  if (model.standing === undefined) return null;
  if (settings.tuning === "lora") return whyNoRoom(model, loraOf(settings), model.standing.sum);
  const count = model.standing.sum.size;
  const message = `Adapters stand on ${count} modules of the model, and all weights are to be trained: take them off, train an adapter, or save the merged model and open that.`;
  return { field: "tuning", message };
}

/** A copy of all weights in one flat buffer; stacks are ranges of it, because their members are neighbours there. */
function fullPolicy(model: Model, settings: PolicySettings): PolicyParts {
  const problem = whyNotOn(model, settings);
  if (problem !== null) throw new RangeError(problem.message);
  const names = [...model.base.keys()];
  const isVector = (name: string) => parameter(model, name).shape.length < 2;
  // Vectors would move the matrices off the alignment that a range of a buffer needs.
  const ordered = [...names.filter((name) => !isVector(name)), ...names.filter(isVector)];
  const parameters = flatParameters(
    ordered.map((name) => ({ name, shape: parameter(model, name).shape, values: null })),
  );
  const { theta, trainables } = parameters;
  const offsets = new Map(trainables.map(({ name, offset }) => [name, offset]));
  for (const [name, offset] of offsets) accumulateAt(theta, parameter(model, name), offset);
  const named = new Map(trainables.map((trainable) => [trainable.name, trainable.tensor]));
  const base = new Map(names.map((name) => [name, named.get(name) ?? parameter(model, name)]));
  const held: Tensor[] = [];
  const range = (name: string, { shape }: Tensor): Tensor => {
    const made = view(theta, offsets.get(name) ?? NaN, shape);
    held.push(made);
    return made;
  };
  const stacks = new Map(
    // Fused layers pass no gradient to the gains of query and key norms, which train here.
    (model.config.hasQueryKeyNorm ? [] : linearGroups(model.config)).flatMap(
      ({ name, modules: [first = ""] }) => {
        const stack = model.stacks.get(name);
        if (stack === undefined || isPackedWeight(stack.weight)) return [];
        const weight = range(`${first}.weight`, stack.weight);
        const bias = stack.bias === null ? null : range(`${first}.bias`, stack.bias);
        return [[name, { weight, bias }] as const];
      },
    ),
  );
  return { weights: referenceWeights({ base, stacks }), parameters, held };
}

/** The policy's weights for one micro-batch: with adapter dropout, every seed drops other inputs of the adapters. */
export function trainingWeights(
  { weights }: Pick<Policy, "weights">,
  { tuning, loraDropout: rate }: Pick<RunConfig, "tuning" | "loraDropout">,
  seed: number,
): Weights {
  return tuning === "lora" && rate > 0 ? { ...weights, dropout: { rate, seed } } : weights;
}

/** How many numbers train: with LoRA rank · (in + out) per adapted module. */
export function countTrainable(model: Pick<Model, "base" | "config">, settings: PolicySettings): number {
  if (settings.tuning === "full") return countParameters(model);
  const { loraTargets: targets, topLayers, loraRank } = settings;
  return adaptedModules(model, { targets, topLayers }).reduce((sum, module) => {
    const [outputs = 0, inputs = 0] = parameterShape(model, `${module}.weight`) ?? [];
    return sum + loraRank * (outputs + inputs);
  }, 0);
}
