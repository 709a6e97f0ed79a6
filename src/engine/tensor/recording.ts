/** Runs work once and plays its commands again later, without asking anybody for buffers, bind groups or pipelines. */
import { ArenaMemory } from "./arenaMemory.ts";
import type { ArenaState } from "./arenaMemory.ts";
import type { GpuBackend as Gpu } from "./dispatch.ts";
import { GpuBackend, TENSOR_USAGE } from "./dispatch.ts";
import type { Command, Recorder } from "./encoding.ts";
import { DeviceLostError } from "./errors.ts";
import type { DeviceError } from "./errors.ts";
import { typedError } from "./errorScopes.ts";
import { activeBackend } from "./run.ts";
import { UNIFORM_SLOT_BYTES, writeUniforms } from "./uniformRing.ts";

/** Work whose commands are remembered. */
export interface Recording<T> {
  /** What the work returned; its tensors are good until `Arena.reset`, and again after each replay. */
  readonly result: T;
  /** Runs all commands again on the same buffers; they read what their inputs hold then. */
  replay(): void;
  /** Forgets the commands; the arena keeps its buffers. */
  dispose(): void;
}

/**
 * Buffers that recordings share. Replays come in the order in which the work was recorded: a later recording may use
 * what an earlier one has freed, and may free what an earlier one has left.
 */
export interface Arena {
  /**
   * Runs `work` and remembers its commands. Every tensor it makes lies in the arena; what it frees is used again at
   * once, what it leaves stays until `reset`, whatever becomes of the handle. Uniforms are remembered too, so what
   * differs between replays must be in tensors that were made before, which a recording keeps alive, and can be changed
   * with `write` between replays. Throws when `work` is not synchronous, reads, brings values from the host or records
   * itself, and `GpuOutOfMemoryError` when a tensor is larger than the device allows.
   */
  record<T>(work: () => T): Recording<T>;
  /** Lets later recordings use the whole arena. Earlier ones can still be replayed, but not between two of the later. */
  reset(): void;
  /**
   * Resolves when the device has found room for all recordings so far; else rejects with `GpuOutOfMemoryError`, after
   * freeing what was made since the last time it resolved and voiding the recordings since then.
   */
  settled(): Promise<void>;
  /** Bytes held on the device. */
  readonly bytes: number;
  /** Frees everything; recordings can no longer be replayed. */
  dispose(): void;
}

/** Whether the active backend can record; on the cpu work runs live each time. */
export function canRecord(): boolean {
  return activeBackend() instanceof GpuBackend;
}

/** Makes an empty arena on the active device; throws on the cpu backend. */
export function createArena(): Arena {
  const backend = activeBackend();
  if (!(backend instanceof GpuBackend)) throw new Error("the cpu backend cannot record");
  return new GpuArena(backend);
}

/** What is needed to take back the recordings since the last `settled`. */
interface Checkpoint {
  readonly state: ArenaState;
  readonly recordings: ReadonlySet<GpuRecording>;
}

class GpuArena implements Arena {
  readonly #backend: Gpu;
  readonly #memory: ArenaMemory;
  readonly #recordings = new Set<GpuRecording>();
  #checkpoint: Checkpoint | null = null;
  #failure: DeviceError | null = null;
  #isDisposed = false;

  constructor(backend: Gpu) {
    this.#backend = backend;
    this.#memory = new ArenaMemory({
      largestBytes: backend.device.limits.maxStorageBufferBindingSize,
      make: (size) => this.#makeBuffer({ label: "arena", size, usage: TENSOR_USAGE }),
    });
    backend.arenas.add(this.#memory);
  }

  get bytes(): number {
    return [...this.#recordings].reduce((sum, { uniformBytes }) => sum + uniformBytes, this.#memory.bytes);
  }

  record<T>(work: () => T): Recording<T> {
    this.#check();
    const state = this.#memory.state();
    this.#checkpoint ??= { state, recordings: new Set(this.#recordings) };
    const recorder = new CommandRecorder(this.#backend, this.#memory);
    let result: T;
    try {
      result = recorder.run(work);
    } catch (cause) {
      recorder.release();
      this.#memory.restore(state);
      throw cause;
    }
    const recording = new GpuRecording(this.#backend, recorder, (descriptor) => this.#makeBuffer(descriptor));
    this.#recordings.add(recording);
    // Should there be no room, the device voids these commands and no others.
    this.#backend.submit();
    recording.replay();
    this.#backend.submit();
    return {
      result,
      replay: () => {
        this.#check();
        recording.replay();
      },
      dispose: () => this.#forget(recording),
    };
  }

  reset(): void {
    this.#memory.reset();
    if (this.#checkpoint === null) return;
    const { state, recordings } = this.#checkpoint;
    this.#checkpoint = { state: { buffers: state.buffers, holders: new Map() }, recordings };
  }

  async settled(): Promise<void> {
    await this.#backend.settled();
    const [failure, checkpoint] = [this.#failure, this.#checkpoint];
    this.#failure = null;
    this.#checkpoint = null;
    if (failure === null || checkpoint === null) return;
    for (const recording of this.#recordings)
      if (!checkpoint.recordings.has(recording)) this.#forget(recording);
    this.#memory.restore(checkpoint.state);
    // The commands on buffers that are not there have been refused as well.
    const lost = this.#backend.errors.take().find((error) => error instanceof DeviceLostError);
    throw lost ?? failure;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#backend.submit();
    for (const recording of this.#recordings) this.#forget(recording);
    this.#memory.restore({ buffers: [], holders: new Map() });
    this.#backend.arenas.delete(this.#memory);
  }

  #check(): void {
    if (this.#isDisposed) throw new Error("the arena is disposed");
    if (activeBackend() !== this.#backend) throw new Error("the arena belongs to another device");
    if (this.#backend.recorder !== null)
      throw new Error("an arena records already: recordings cannot be nested");
  }

  #forget(recording: GpuRecording): void {
    // A destroyed buffer voids commands that are not submitted.
    this.#backend.submit();
    if (this.#recordings.delete(recording)) recording.dispose();
  }

  #makeBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    return this.#backend.scopes.run(
      "out-of-memory",
      () => this.#backend.device.createBuffer(descriptor),
      (error) => (this.#failure ??= typedError(error)),
    );
  }
}

/** Remembers what work does, and keeps alive what it uses from outside the arena. */
class CommandRecorder implements Recorder {
  readonly memory: ArenaMemory;
  readonly commands: Parameters<Recorder["add"]>[0][] = [];
  readonly #backend: Gpu;
  readonly #used = new Set<object>();

  constructor(backend: Gpu, memory: ArenaMemory) {
    this.#backend = backend;
    this.memory = memory;
  }

  run<T>(work: () => T): T {
    this.#backend.recorder = this;
    this.memory.isRecording = true;
    try {
      const result = work();
      if (result instanceof Promise) {
        result.catch(() => undefined);
        throw new Error("work that is recorded must not wait for anything");
      }
      return result;
    } finally {
      this.#backend.recorder = null;
      this.memory.isRecording = false;
    }
  }

  use(dataId: object): void {
    if (this.memory.has(dataId) || this.#used.has(dataId)) return;
    this.#used.add(dataId);
    this.#backend.incRef(dataId);
  }

  add(command: Parameters<Recorder["add"]>[0]): void {
    this.commands.push(command);
  }

  /** Lets go of what was kept alive. */
  release(): void {
    for (const dataId of this.#used) this.#backend.release(dataId);
    this.#used.clear();
  }
}

/** Commands with their bind groups and a buffer that holds their uniforms for good. */
class GpuRecording {
  readonly uniformBytes: number;
  readonly #backend: Gpu;
  readonly #recorder: CommandRecorder;
  readonly #uniforms: GPUBuffer;
  readonly #commands: readonly Command[];
  #isDisposed = false;

  constructor(
    backend: Gpu,
    recorder: CommandRecorder,
    makeBuffer: (descriptor: GPUBufferDescriptor) => GPUBuffer,
  ) {
    this.#backend = backend;
    this.#recorder = recorder;
    const dispatches = recorder.commands.filter(({ kind }) => kind === "unbound").length;
    this.uniformBytes = UNIFORM_SLOT_BYTES * Math.max(dispatches, 1);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#uniforms = makeBuffer({ label: "recorded uniforms", size: this.uniformBytes, usage });
    this.#commands = backend.scopes.run("validation", () => this.#bind());
  }

  replay(): void {
    if (this.#isDisposed) throw new Error("the recording is disposed, or there was no room for it");
    this.#backend.play(this.#commands);
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#uniforms.destroy();
    this.#recorder.release();
  }

  #bind(): Command[] {
    const { cache, device } = this.#backend;
    const blocks = new DataView(new ArrayBuffer(this.uniformBytes));
    const groups = new Map<string, GPUBindGroup>();
    let uniformOffset = -UNIFORM_SLOT_BYTES;
    const commands = this.#recorder.commands.map((command): Command => {
      if (command.kind !== "unbound") return command;
      const { shader, pipeline, ranges } = command;
      uniformOffset += UNIFORM_SLOT_BYTES;
      writeUniforms(blocks, uniformOffset, { types: shader.uniformTypes, values: shader.uniforms });
      const key = cache.keyOf(pipeline, ranges);
      const group = groups.get(key) ?? cache.makeBindGroup(pipeline, ranges, this.#uniforms);
      groups.set(key, group);
      const { workgroups } = shader;
      return { kind: "dispatch", pipeline: pipeline.pipeline, group, uniformOffset, workgroups, ranges };
    });
    device.queue.writeBuffer(this.#uniforms, 0, blocks.buffer);
    return commands;
  }
}
