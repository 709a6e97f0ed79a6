/** Finds out what work would hold on a device and how many dispatches it is, without computing anything. */
import { ArenaMemory } from "./arenaMemory.ts";
import { sizeOf } from "./shader.ts";
import type { Shape } from "./op.ts";
import type { TensorInfo } from "./tfjs.ts";

const BYTES_PER_ELEMENT = 4;

/** What planned work needs. */
export interface Plan {
  /** Bytes that an arena would hold for it. */
  readonly bytes: number;
  /** Bytes of the largest tensor that it makes. */
  readonly largestBytes: number;
  readonly dispatches: number;
}

/** Makes tensors that have a place and no contents. */
export class Planner {
  dispatches = 0;
  largestBytes = 0;
  readonly #memory = new ArenaMemory({
    largestBytes: Number.POSITIVE_INFINITY,
    // Only the size of a planned buffer is ever looked at.
    make: (size) => ({ size, destroy: () => undefined }) as GPUBuffer,
  });

  constructor() {
    this.#memory.isRecording = true;
  }

  get bytes(): number {
    return this.#memory.bytes;
  }

  /** Gives a tensor without contents its place. */
  place(info: TensorInfo, shape: Shape): TensorInfo {
    const { dataId } = info;
    const bytes = BYTES_PER_ELEMENT * sizeOf(shape);
    this.largestBytes = Math.max(this.largestBytes, bytes);
    this.#memory.take(dataId, bytes);
    places.set(dataId, () => this.#memory.free(dataId));
    return info;
  }
}

const places = new WeakMap<object, () => void>();
let active: Planner | null = null;

/** The planner that tensors are made by now, if any. */
export function activePlanner(): Planner | null {
  return active;
}

/** Called by the backends when data is freed. */
export function notePlannedFree(dataId: object): void {
  places.get(dataId)?.();
}

/** Sets the planner while `work` runs. */
export function withPlanner<T>(planner: Planner, work: () => T): T {
  if (active !== null) throw new Error("a plan cannot be made while another one is");
  active = planner;
  try {
    return work();
  } finally {
    active = null;
  }
}
