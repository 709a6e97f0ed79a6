export function chromiumArgs(gpu?: string): string[];
export function findChromium(): Promise<string>;
