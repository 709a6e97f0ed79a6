const blocks = "▁▂▃▄▅▆▇█";

/** The trend of a metric as a few block characters; values that are not finite are left out. */
export function sparkline(values: readonly number[], width = 10): string {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length < 2) return "";
  const count = Math.min(width, finite.length);
  const means = Array.from({ length: count }, (_, index) => {
    const part = finite.slice(
      Math.floor((index * finite.length) / count),
      Math.floor(((index + 1) * finite.length) / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const lowest = Math.min(...means);
  const range = Math.max(...means) - lowest;
  if (range === 0) return blocks.charAt(0).repeat(count);
  return means
    .map((value) => blocks.charAt(Math.round(((value - lowest) / range) * (blocks.length - 1))))
    .join("");
}
