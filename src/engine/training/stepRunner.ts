/**
 * Runs micro-batches. Where the device can record, the commands of each padded batch size are recorded once and played
 * again with other contents: nothing is made on the device any more. Elsewhere, and with adapter dropout, every
 * micro-batch runs live, which is also the oracle of the recordings.
 */
import type { FlatBatch } from "../data/batch.ts";
import { distinctWindows } from "../models/config.ts";
import type { DecoderPass } from "../models/pass.ts";
import { canRecord, createArena, type Arena, type Recording } from "../tensor/recording.ts";
import { dispose, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { paddedSize, rangeColumns, uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import {
  addGradients,
  backward,
  forward,
  headUpstream,
  readHead,
  inputsFor,
  tensorsOf,
  tensorsOfInputs,
  writeStates,
  type BackwardPass,
  type HostPart,
  type PassHead,
  type PassInputs,
} from "./gradients.ts";
import { openWalk } from "./layerWalk.ts";
import { atOnce } from "./parts.ts";

/** Recordings that are kept; the one that was played longest ago goes first. */
const MOST_PLANS = 32;

/** Runs the micro-batches of one policy. */
export interface StepRunner {
  /** Runs one micro-batch and adds its gradients to the sink of `pass`. */
  readonly run: (pass: BackwardPass, flat: FlatBatch, host: HostPart) => Promise<void>;
  /**
   * Makes room for a micro-batch by running it without effect; smaller ones need no more. Rejects with
   * `GpuOutOfMemoryError` when there is none. Does nothing where steps are not recorded.
   */
  readonly probe: (pass: BackwardPass, flat: FlatBatch) => Promise<void>;
  /** Bytes that recordings hold on the device. */
  readonly bytes: () => number;
  readonly dispose: () => void;
}

/** A recorded micro-batch. */
interface Plan {
  readonly batch: DeviceBatch;
  readonly walk: DecoderPass;
  /** What is written before the recordings are played. */
  readonly inputs: PassInputs;
  /** [entries, statisticsWidth] written between the two recordings. */
  readonly upstream: Tensor;
  readonly forward: Recording<PassHead>;
  backward: Recording<void> | null;
}

/** A runner for the active device. */
export function createStepRunner(): StepRunner {
  const plans = new Map<string, Plan>();
  let arena: Arena | null = null;

  const drop = (key: string): void => {
    const plan = plans.get(key);
    if (plan === undefined) return;
    plans.delete(key);
    plan.forward.dispose();
    plan.backward?.dispose();
    dispose([plan.upstream, ...tensorsOfInputs(plan.inputs), ...tensorsOf(plan.forward.result)]);
    plan.walk.dispose();
    plan.batch.dispose();
  };

  const dropAll = (): void => {
    for (const key of plans.keys()) drop(key);
  };

  const planOf = (pass: BackwardPass, flat: FlatBatch, host: HostPart): { key: string; plan: Plan } => {
    const key = keyOf(pass, flat);
    const known = plans.get(key);
    if (known !== undefined) {
      plans.delete(key);
      plans.set(key, known);
      known.batch.replace(flat);
      known.inputs.pool?.replace(flat);
      writeStates(known.inputs, host);
      known.forward.replay();
      return { key, plan: known };
    }
    arena ??= createArena();
    arena.reset();
    const batch = uploadBatch(flat, distinctWindows(pass.model.config), paddedSize(flat));
    const walk = openWalk(pass, batch.rows);
    const inputs = inputsFor(pass, batch);
    try {
      writeStates(inputs, host);
      const recorded = arena.record(() => atOnce(forward(pass, walk, batch, inputs)));
      const upstream = zeros(recorded.result.statistics.shape);
      const plan = { batch, walk, inputs, upstream, forward: recorded, backward: null };
      plans.set(key, plan);
      const [oldest] = plans.keys();
      if (plans.size > MOST_PLANS && oldest !== undefined) drop(oldest);
      return { key, plan };
    } catch (cause) {
      walk.dispose();
      dispose(tensorsOfInputs(inputs));
      batch.dispose();
      throw cause;
    }
  };

  const runRecorded = async (pass: BackwardPass, flat: FlatBatch, host: HostPart): Promise<void> => {
    const { key, plan } = planOf(pass, flat, host);
    try {
      const gradients = host.gradients(await readHead(plan.forward.result, flat.labels.length));
      write(plan.upstream, headUpstream(gradients, plan.upstream));
      plan.inputs.pool?.writeLists(gradients.features);
      if (plan.backward !== null) {
        plan.backward.replay();
        return;
      }
      const head = { ...plan.forward.result, upstream: plan.upstream };
      plan.backward =
        arena?.record(() => {
          atOnce(backward(pass, plan.walk, head, plan.inputs));
        }) ?? null;
    } catch (cause) {
      // Half a plan cannot be finished later: another one may have used the arena by then.
      drop(key);
      throw cause;
    }
  };

  const records = ({ weights }: BackwardPass) => canRecord() && weights.dropout === null;
  return {
    run: async (pass, flat, host) => {
      if (records(pass)) {
        await runRecorded(pass, flat, host);
        return;
      }
      const batch = uploadBatch(flat, distinctWindows(pass.model.config));
      try {
        await addGradients(pass, batch, host);
      } finally {
        batch.dispose();
      }
    },
    probe: async (pass, flat) => {
      if (!records(pass)) return;
      try {
        await runRecorded(pass, flat, hostPartWithoutEffect(pass, flat));
      } finally {
        // Takes back what there was no room for, and rejects; the plans among it cannot be replayed.
        await arena?.settled().catch((cause: unknown) => {
          dropAll();
          throw cause;
        });
      }
    },
    bytes: () => arena?.bytes ?? 0,
    dispose: () => {
      dropAll();
      arena?.dispose();
      arena = null;
    },
  };
}

/** A host part that gives zeros: what it runs changes nothing. */
function hostPartWithoutEffect({ model }: BackwardPass, flat: FlatBatch): HostPart {
  const entries = flat.labels.length;
  return {
    referenceHidden: new Float32Array(entries * model.config.hiddenSize),
    gradients: () => ({ logps: new Float64Array(entries) }),
  };
}

/** Micro-batches of one key have the same commands. */
function keyOf({ model, keeps }: BackwardPass, flat: FlatBatch): string {
  const { rows, entries } = paddedSize(flat);
  return [keeps, rows, entries, flat.sequences, ...rangeColumns(flat, distinctWindows(model.config))].join(
    " ",
  );
}
