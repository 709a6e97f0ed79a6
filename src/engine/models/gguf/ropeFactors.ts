/** `rope_freqs.weight`: what each rotary frequency is divided by, instead of the settings of Llama 3's scaling. */
import type { RopeScaling } from "../config.ts";

type Llama3Scaling = Extract<RopeScaling, { type: "llama3" }>;

/** What Llama 3.1 to 3.3 set. */
const USUAL = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192 };
/** Largest relative difference between factors as stored, in 32 bits, and as computed. */
const TOLERANCE = 1e-4;

/** The divisors of headDim / 2 frequencies. Source: formats.md §1.2, after Llama 3.1's own code. */
export function llama3Factors(scaling: Llama3Scaling, theta: number, headDim: number): Float32Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
  return Float32Array.from({ length: headDim / 2 }, (_, index) => {
    const turns = originalMaxPositions / waveLength(index, theta, headDim);
    if (turns > high) return 1;
    if (turns < low) return factor;
    const smooth = (turns - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

function waveLength(index: number, theta: number, headDim: number): number {
  return 2 * Math.PI * theta ** ((2 * index) / headDim);
}

/**
 * The scaling that gives these divisors; null where none does. Only the ratios of its last three numbers matter: where
 * the file does not give the original length, 8192 is tried, and then a low factor of 1.
 */
export function findLlama3Scaling(
  factors: Float32Array,
  theta: number,
  originalMaxPositions: number = USUAL.originalMaxPositions,
): Llama3Scaling | null {
  const factor = factors.reduce((largest, each) => Math.max(largest, each), 1);
  const candidates: (Llama3Scaling | null)[] = [
    { type: "llama3", factor, ...USUAL, originalMaxPositions },
    fitScaling(factors, theta, factor),
  ];
  for (const candidate of candidates) {
    if (candidate === null) continue;
    const computed = llama3Factors(candidate, theta, 2 * factors.length);
    if (computed.every((value, index) => Math.abs(value / factors[index]! - 1) < TOLERANCE)) return candidate;
  }
  return null;
}

/** From two divisors between 1 and the factor: smoothness is linear in 1 / wave length. */
function fitScaling(factors: Float32Array, theta: number, factor: number): Llama3Scaling | null {
  const between: { smooth: number; frequency: number }[] = [];
  factors.forEach((divisor, index) => {
    if (divisor <= 1 || divisor >= factor) return;
    const smooth = (1 / divisor - 1 / factor) / (1 - 1 / factor);
    between.push({ smooth, frequency: 1 / waveLength(index, theta, 2 * factors.length) });
  });
  const [first, last] = [between[0], between.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const slope = (last.smooth - first.smooth) / (last.frequency - first.frequency);
  // Where the line reaches 0 a wave turns `low` times in the original length, where it reaches 1, `high` times.
  const lowest = first.frequency - first.smooth / slope;
  const originalMaxPositions = Math.round(1 / lowest);
  const highFrequencyFactor = (lowest + 1 / slope) / lowest;
  if (!(originalMaxPositions > 0 && highFrequencyFactor > 1)) return null;
  return { type: "llama3", factor, lowFrequencyFactor: 1, highFrequencyFactor, originalMaxPositions };
}
