/** Puts commands into the command encoder of the tensor runtime, and knows which buffers they use until a submit. */
import type { ArenaMemory } from "./arenaMemory.ts";
import type { BufferRange } from "./bufferRange.ts";
import type { EncoderOwner } from "./internals.ts";
import type { Pipeline } from "./pipelines.ts";
import type { Shader } from "./shader.ts";

/** Default number of dispatches recorded before they are handed to the device. */
const DISPATCHES_PER_SUBMIT = 64;

/** A dispatch with all that it binds. */
export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** Bytes from the beginning of the uniform buffer that `group` binds. */
  readonly uniformOffset: number;
  readonly workgroups: readonly [number, number, number];
  readonly ranges: readonly BufferRange[];
}

/** Fills a range with zero bits. */
export interface ClearCommand {
  readonly kind: "clear";
  readonly range: BufferRange;
}

/** Copies one range over another of the same size. */
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: BufferRange;
  readonly to: BufferRange;
}

/** What the device is asked to do. */
export type Command = DispatchCommand | ClearCommand | CopyCommand;

/** A dispatch that an arena remembers: its bind group comes with the uniform buffer, when all uniforms are known. */
export interface UnboundDispatch {
  readonly kind: "unbound";
  readonly shader: Shader;
  readonly pipeline: Pipeline;
  readonly ranges: readonly BufferRange[];
}

/** Remembers commands while an arena records. */
export interface Recorder {
  readonly memory: ArenaMemory;
  /** Notes data that a command reads or writes. */
  use(dataId: object): void;
  add(command: UnboundDispatch | ClearCommand | CopyCommand): void;
}

/** The commands of one device that are recorded and not submitted yet. */
export class Encoding {
  dispatchesPerSubmit = DISPATCHES_PER_SUBMIT;
  /** Dispatches recorded so far. */
  dispatches = 0;
  readonly #owner: EncoderOwner;
  readonly #used = new Set<GPUBuffer>();
  #pending = 0;

  constructor(owner: EncoderOwner) {
    this.#owner = owner;
  }

  /** Whether enough is recorded to be handed over. */
  get isFull(): boolean {
    return this.#pending >= this.dispatchesPerSubmit;
  }

  /** Records one command. */
  add(command: Command): void {
    if (command.kind === "dispatch") {
      const pass = this.#pass();
      pass.setPipeline(command.pipeline);
      pass.setBindGroup(0, command.group, [command.uniformOffset]);
      pass.dispatchWorkgroups(...command.workgroups);
      for (const { buffer } of command.ranges) this.#used.add(buffer);
      this.dispatches++;
      this.#pending++;
    } else if (command.kind === "clear") {
      const { buffer, offset, bytes } = command.range;
      this.encoder().clearBuffer(buffer, offset, bytes);
      this.#used.add(buffer);
    } else {
      const { from, to } = command;
      this.encoder().copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, from.bytes);
      this.#used.add(from.buffer).add(to.buffer);
    }
  }

  /** Notes that a command recorded by somebody else uses a buffer. */
  use(buffer: GPUBuffer): void {
    this.#used.add(buffer);
  }

  /** Whether a command uses the buffer that is not submitted yet. */
  isUsed(buffer: GPUBuffer): boolean {
    return this.#used.has(buffer);
  }

  /** To be called at each submit. */
  forget(): void {
    this.#pending = 0;
    this.#used.clear();
  }

  /** The open encoder, outside of a compute pass. */
  encoder(): GPUCommandEncoder {
    this.#owner.endComputePassEncoder();
    this.#owner.ensureCommandEncoderReady();
    const { commandEncoder } = this.#owner;
    if (commandEncoder === null) throw new Error("no command encoder");
    return commandEncoder;
  }

  #pass(): GPUComputePassEncoder {
    const open = this.#owner.computePassEncoder;
    if (open !== null) return open;
    const pass = this.encoder().beginComputePass();
    this.#owner.computePassEncoder = pass;
    return pass;
  }
}
