/** Workgroups WebGPU allows on one axis. */
const axisLimit = 65_535;

/**
 * That many workgroups, folded into y beyond the limit of one axis. A shader recovers the number of its group
 * as `group.x + group.y * 65535u` and must check it against its bound, for the last row of the fold may be partial.
 */
export function foldedGrid(groups: number): [number, number, number] {
  return [Math.min(groups, axisLimit), Math.ceil(groups / axisLimit), 1];
}
