/**
 * Runs micro-batches. Where the device can record, the commands of each padded batch size are recorded once and played
 * again with other contents: nothing is made on the device any more. Elsewhere, and with adapter dropout, every
 * micro-batch runs live, which is also the oracle of the recordings.
 */
import type { FlatBatch } from "../data/batch.ts";
import { distinctWindows } from "../models/config.ts";
import type { DecoderPass } from "../models/pass.ts";
import { canRecord, createArena, type Arena, type Recording } from "../tensor/recording.ts";
import { dispose, read, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { paddedSize, rangeColumns, uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import {
  addGradients,
  backward,
  forward,
  logpUpstream,
  openWalk,
  type BackwardPass,
  type PassHead,
  type TokenObjective,
} from "./gradients.ts";
import { atOnce } from "./parts.ts";
import { entryStatistics } from "./scoring.ts";

/** Recordings that are kept; the one that was played longest ago goes first. */
const MOST_PLANS = 32;

/** Runs the micro-batches of one policy. */
export interface StepRunner {
  /** Runs one micro-batch and adds its gradients to the sink of `pass`. */
  readonly run: (pass: BackwardPass, flat: FlatBatch, objective: TokenObjective) => Promise<void>;
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
    dispose([plan.upstream, plan.forward.result.statistics]);
    plan.walk.dispose();
    plan.batch.dispose();
  };

  const dropAll = (): void => {
    for (const key of plans.keys()) drop(key);
  };

  const planOf = (pass: BackwardPass, flat: FlatBatch): { key: string; plan: Plan } => {
    const key = keyOf(pass, flat);
    const known = plans.get(key);
    if (known !== undefined) {
      plans.delete(key);
      plans.set(key, known);
      known.batch.replace(flat);
      known.forward.replay();
      return { key, plan: known };
    }
    arena ??= createArena();
    arena.reset();
    const batch = uploadBatch(flat, distinctWindows(pass.model.config), paddedSize(flat));
    const walk = openWalk(pass, batch.rows);
    try {
      const recorded = arena.record(() => atOnce(forward(pass, walk, batch)));
      const upstream = zeros(recorded.result.statistics.shape);
      const plan = { batch, walk, upstream, forward: recorded, backward: null };
      plans.set(key, plan);
      const [oldest] = plans.keys();
      if (plans.size > MOST_PLANS && oldest !== undefined) drop(oldest);
      return { key, plan };
    } catch (cause) {
      walk.dispose();
      batch.dispose();
      throw cause;
    }
  };

  const runRecorded = async (
    pass: BackwardPass,
    flat: FlatBatch,
    objective: TokenObjective,
  ): Promise<void> => {
    const { key, plan } = planOf(pass, flat);
    const { statistics } = plan.forward.result;
    try {
      const entries = entryStatistics(await read(statistics), flat.labels.length);
      write(plan.upstream, logpUpstream(objective(entries), statistics));
      if (plan.backward !== null) {
        plan.backward.replay();
        return;
      }
      const head = { ...plan.forward.result, upstream: plan.upstream };
      plan.backward =
        arena?.record(() => {
          atOnce(backward(pass, plan.walk, head));
        }) ?? null;
    } catch (cause) {
      // Half a plan cannot be finished later: another one may have used the arena by then.
      drop(key);
      throw cause;
    }
  };

  const records = ({ weights }: BackwardPass) => canRecord() && weights.dropout === null;
  return {
    run: async (pass, flat, objective) => {
      if (records(pass)) {
        await runRecorded(pass, flat, objective);
        return;
      }
      const batch = uploadBatch(flat, distinctWindows(pass.model.config));
      try {
        await addGradients(pass, batch, objective);
      } finally {
        batch.dispose();
      }
    },
    probe: async (pass, flat) => {
      if (!records(pass)) return;
      try {
        await runRecorded(pass, flat, () => new Float64Array(flat.labels.length));
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

/** Micro-batches of one key have the same commands. */
function keyOf({ model, keeps }: BackwardPass, flat: FlatBatch): string {
  const { rows, entries } = paddedSize(flat);
  return [keeps, rows, entries, ...rangeColumns(flat, distinctWindows(model.config))].join(" ");
}
