/** Compute pipelines by shader text and bind groups by the buffers they bind. */
import type { BufferRange } from "./bufferRange.ts";
import { ShaderError } from "./errors.ts";
import type { ErrorScopes } from "./errorScopes.ts";
import type { Shader } from "./shader.ts";
import { UNIFORM_SLOT_BYTES } from "./uniformRing.ts";

/** More bind groups than a training step of any supported model needs; the oldest go first. */
const MAX_BIND_GROUPS = 8192;

/** A compiled shader with the layout its bind groups need. */
export interface Pipeline {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines and bind groups of one device. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #scopes: ErrorScopes;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  // Buffers are told apart by object, never by size: a destroyed buffer's number is never given out again.
  readonly #bufferIds = new WeakMap<GPUBuffer, number>();
  #nextBufferId = 0;
  /** Bind groups created so far. */
  createdBindGroups = 0;

  constructor(device: GPUDevice, scopes: ErrorScopes) {
    this.#device = device;
    this.#scopes = scopes;
  }

  /** Pipelines compiled so far. */
  get pipelineCount(): number {
    return this.#pipelines.size;
  }

  /** Bind groups held now. */
  get bindGroupCount(): number {
    return this.#bindGroups.size;
  }

  /** The pipeline of a shader text; a shader that does not compile becomes a `ShaderError` in the error log. */
  pipelineOf(shader: Shader): Pipeline {
    const known = this.#pipelines.get(shader.wgsl);
    if (known !== undefined) return known;
    const layout = this.#layoutOf(shader.writable);
    const pipeline = this.#scopes.run(
      "validation",
      () => this.#device.createComputePipeline(this.#descriptor(shader, layout)),
      ({ message }) => new ShaderError(shader.operation, message),
    );
    return this.#store(shader, { pipeline, layout });
  }

  /** Compiles a shader ahead of its first use without blocking; throws `ShaderError` when it does not compile. */
  async warm(shader: Shader): Promise<void> {
    if (this.#pipelines.has(shader.wgsl)) return;
    const layout = this.#layoutOf(shader.writable);
    this.#device.pushErrorScope("validation");
    const descriptor = this.#descriptor(shader, layout);
    // The same text is refused again below, with a rejection; here it must only not count as unexpected.
    void this.#device.popErrorScope().catch(() => null);
    try {
      const pipeline = await this.#device.createComputePipelineAsync(descriptor);
      if (!this.#pipelines.has(shader.wgsl)) this.#store(shader, { pipeline, layout });
    } catch (cause) {
      throw new ShaderError(shader.operation, cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** The bind group of these parts of buffers, in binding order, and the uniform ring. */
  bindGroupOf(pipeline: Pipeline, ranges: readonly BufferRange[], uniforms: GPUBuffer): GPUBindGroup {
    const key = this.keyOf(pipeline, ranges);
    const known = this.#bindGroups.get(key);
    if (known !== undefined) {
      // Moves the group to the young end, so that eviction takes the least recently used one.
      this.#bindGroups.delete(key);
      this.#bindGroups.set(key, known);
      return known;
    }
    const group = this.makeBindGroup(pipeline, ranges, uniforms);
    this.#bindGroups.set(key, group);
    if (this.#bindGroups.size > MAX_BIND_GROUPS) {
      const [oldest] = this.#bindGroups.keys();
      if (oldest !== undefined) this.#bindGroups.delete(oldest);
    }
    return group;
  }

  /** Tells bind groups of one uniform buffer apart. */
  keyOf(pipeline: Pipeline, ranges: readonly BufferRange[]): string {
    let key = `${pipeline.id}`;
    for (const { buffer, offset, bytes, isView } of ranges) {
      key += isView ? `,${this.numberOf(buffer)}@${offset}+${bytes}` : `,${this.numberOf(buffer)}`;
    }
    return key;
  }

  /** A bind group that the caller keeps. */
  makeBindGroup(pipeline: Pipeline, ranges: readonly BufferRange[], uniforms: GPUBuffer): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset, bytes, isView }, binding) => ({
      binding,
      resource: isView ? { buffer, offset, size: bytes } : { buffer },
    }));
    entries.push({ binding: ranges.length, resource: { buffer: uniforms, size: UNIFORM_SLOT_BYTES } });
    this.createdBindGroups++;
    return this.#device.createBindGroup({ layout: pipeline.layout, entries });
  }

  /** Number of a buffer in order of first sight. */
  numberOf(buffer: GPUBuffer): number {
    const known = this.#bufferIds.get(buffer);
    if (known !== undefined) return known;
    const id = this.#nextBufferId++;
    this.#bufferIds.set(buffer, id);
    return id;
  }

  #store(shader: Shader, made: Omit<Pipeline, "id">): Pipeline {
    const entry = { id: this.#pipelines.size, ...made };
    this.#pipelines.set(shader.wgsl, entry);
    return entry;
  }

  #descriptor(shader: Shader, layout: GPUBindGroupLayout): GPUComputePipelineDescriptor {
    const module = this.#device.createShaderModule({ label: shader.operation, code: shader.wgsl });
    return {
      label: shader.operation,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    };
  }

  #layoutOf(writable: readonly boolean[]): GPUBindGroupLayout {
    const key = writable.map((isWritable) => (isWritable ? "w" : "r")).join("");
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const entries: GPUBindGroupLayoutEntry[] = writable.map((isWritable, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: isWritable ? "storage" : "read-only-storage" },
    }));
    entries.push({
      binding: writable.length,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    });
    const layout = this.#device.createBindGroupLayout({ entries });
    this.#layouts.set(key, layout);
    return layout;
  }
}
